import { FIGURES_HEADER } from '../../farm/slave-figures.ts';

/**
 * What a slave says of itself: `NAME=NUMBER …` in a file of root's, which `gbrowse_slave` adds to its answers to a probe. For
 * that a small module is loaded into it (`PERL5OPT`) that stands in front of what it answers to a request without an
 * operation; where Perl cannot load it, the slave is started as it is. It also sees to it that a slave which an image's own
 * script starts logs what it draws, and draws with enough processes.
 */
export const FIGURES = `
told() { # NAME: 0 where nothing was told
  number=$(cat "$HERE/figures" 2>/dev/null | tr ' ' '\\n' | sed -n "s/^$1=//p")
  echo "\${number:-0}"
}
tell() { # NAME=NUMBER...
  for it; do
    { cat "$HERE/figures" 2>/dev/null | tr ' ' '\\n' | grep "=" | grep -v "^\${it%%=*}="; echo "$it"; } | tr '\\n' ' ' > "$HERE/figures.new"
    mv "$HERE/figures.new" "$HERE/figures"
  done
}
write_module() {
  cat > "$HERE/GBrowseAwsBalancerSlave.pm" <<'END'
package GBrowseAwsBalancerSlave;
use strict;
no strict 'refs';
no warnings;
my $read = sub { my $text = ''; open(my $in, '<', $_[0]) or return ''; read $in, $text, 500; $text };
my $slave = 'Bio::Graphics::Browser2::Render::Slave::';
my $name = $slave . 'run_operation';
my %least = (debug => 2, prefork_copies => $ENV{GBROWSE_SLAVE_PROCESSES});
INIT {
  for my $option (grep { defined &{$slave . $_} } keys %least) {
    my ($was, $least) = (\\&{$slave . $option}, $least{$option});
    *{$slave . $option} = sub { my $value = $was->(@_); $value < $least ? $least : $value };
  }
  if (defined &$name) {
    my $was = \\&$name;
    *$name = sub {
      my ($self, $c, $operation) = @_;
      return $was->(@_) unless $operation eq 'invalid';
      my ($up) = $read->('/proc/uptime') =~ /^([\\d.]+)/;
      my ($figures) = $read->('/run/gbrowse-aws-balancer/figures') =~ /^([\\w=. ]*)/;
      my $text = 'invalid request';
      $c->send_response(HTTP::Response->new(400 => 'Bad request', ['Content-type' => 'text/plain',
        'Content-length' => length $text, '${FIGURES_HEADER}' => "up=$up $figures"], $text));
      $self->Info('host=', $c->peerhost, "; operation=$operation; response=400; bytes=", length $text);
    };
  }
}
1;
END
  perl "-I$HERE" -MGBrowseAwsBalancerSlave -e 1 2>/dev/null
}
`;
