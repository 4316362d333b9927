/**
 * The Perl by which GBrowse follows the list of slaves by itself, as the value of `renderfarm` in `renderfarm.conf`.
 * GBrowse evaluates a value that begins with `sub {` once in a process, and the result takes its place
 * (Bio::Graphics::FeatureFile, `code_setting`); its data sources then ask `global_setting` at every request, and again
 * for every retry. GBrowse's settings keep only the text and the result of this, so that data sources can still be
 * frozen for the slaves. No line may have a "#" behind code: GBrowse's parser takes it for a comment.
 */
const PERL = String.raw`
sub { 0 } && do {
  package GBrowseAwsBalancer;
  use strict;
  use warnings;
  no strict 'refs';
  no warnings qw(redefine once);
  our (%seen, %wrapped);

  # Puts a sub in the place of another one, which it is given. Once in a process, however often this is evaluated.
  my $wrap = sub {
    my ($name, $make) = @_;
    return unless defined &$name;
    my $now = \&$name;
    return if $wrapped{$name} && $wrapped{$name} == $now;
    *$name = $wrapped{$name} = $make->($now);
  };

  require Fcntl;
  # stat with fractions of a second, where Perl has it.
  my $stat = eval { require Time::HiRes; Time::HiRes->can('stat') } || sub { stat($_[0]) };

  # The slaves in the list, as one line; none where it is gone, or has anything in it but addresses of slaves. It is read
  # again only when it was replaced.
  my $slaves = sub {
    my ($file) = @_;
    my @stat = $stat->($file);
    return '' unless @stat && ($stat[2] & 0170000) == 0100000 && $stat[7] <= 65536;
    my $mark = join ' ', @stat[0, 1, 7, 9, 10];
    return $seen{$file}[1] if $seen{$file} && $seen{$file}[0] eq $mark;
    my $text = '';
    # What stands there may be another file by now: a pipe must not be waited for.
    if (sysopen my $list, $file, Fcntl::O_RDONLY() | Fcntl::O_NONBLOCK()) { read $list, $text, 65537 if -f $list; close $list }
    my @words = split ' ', $text;
    my $host = qr{[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\]};
    my $valid = length $text <= 65536 && @words <= 1000 && !grep { !m{\Ahttp://(?:$host):[0-9]{1,5}\z} } @words;
    $seen{$file} = [$mark, $valid ? join(' ', @words) : ''];
    return $seen{$file}[1];
  };

  # Of one GBrowse configuration: the administrator's own slaves and the balancer's. Undefined where it names no list.
  my $farm = sub {
    my ($globals) = @_;
    my $file = $globals ? $globals->code_setting(general => 'renderfarm list') : undef;
    return undef unless defined $file && length $file;
    my $own = $globals->code_setting(general => 'remote renderer');
    $own = '' if !defined $own || $own =~ /\A\s*(?:none|local)\s*\z/;
    return join ' ', split(' ', $own), split(' ', $slaves->($file));
  };

  require Bio::Graphics::Browser2::DataSource;
  $wrap->('Bio::Graphics::Browser2::DataSource::global_setting', sub {
    my ($was) = @_;
    sub {
      my ($self, $option) = @_;
      return $was->(@_) unless defined $option && ($option eq 'renderfarm' || $option eq 'remote renderer');
      # What the data source says for itself counts more.
      my $own = $self->code_setting(general => $option);
      return $own if defined $own;
      my $all = $farm->(scalar $self->globals);
      return $was->(@_) unless defined $all;
      return $option eq 'remote renderer' ? $all : $all eq '' ? 0 : 1;
    }
  });

  # GBrowse 2.56 calls ->png on what a slave has sent, which is PNG already.
  require Bio::Graphics::Browser2::CachedTrack;
  *GBrowseAwsBalancer::Png::png = sub { \${$_[0]} };
  $wrap->('Bio::Graphics::Browser2::CachedTrack::put_data', sub {
    my ($was) = @_;
    sub {
      my ($self, $gd, @rest) = @_;
      if (defined $gd && !ref $gd) { my $png = $gd; $gd = bless \$png, 'GBrowseAwsBalancer::Png' }
      $was->($self, $gd, @rest)
    }
  });

  # How a slave is: it answers, it is silent (busy, or hangs), or nothing of it is there.
  my $probe = sub {
    my ($host, $port) = @_;
    my $class = eval { require IO::Socket::IP; 'IO::Socket::IP' } || do { require IO::Socket::INET; 'IO::Socket::INET' };
    my $socket = $class->new(PeerHost => $host, PeerPort => $port, Proto => 'tcp', Timeout => 2) or return 'gone';
    local $SIG{PIPE} = 'IGNORE';
    syswrite $socket, "HEAD / HTTP/1.0\r\n\r\n";
    my $ready = '';
    vec($ready, fileno $socket, 1) = 1;
    return select($ready, undef, undef, 2) && sysread($socket, my $byte, 1) ? 'answers' : 'silent';
  };

  # A request to a slave that is given up when nothing of the slave is there any more, when it has answered nobody for
  # nine seconds (then another slave draws, or this machine), or sooner when it is silent and has left the list: long
  # before slave_timeout.
  # That is noted in a file, so that for a minute nobody waits for a slave that does not even answer a probe.
  my $watched = sub {
    my ($ask, $is_listed, $notes, $ua, $request) = @_;
    my ($host, $port) = ($request->uri->host, $request->uri->port);
    require HTTP::Response;
    my $give_up = sub { HTTP::Response->new(500, 'the slave does not answer') };
    (my $note = "$notes-$host-$port") =~ s{[^\w./-]}{_}g;
    my $noted = (stat $note)[9];
    my $is_known = defined $noted && abs(time - $noted) < 60;
    return $give_up->() if $is_known && $probe->($host, $port) ne 'answers';
    my ($gone, $silent, $is_lost) = (0, 0, 0);
    local $SIG{ALRM} = sub {
      my $state = $probe->($host, $port);
      $gone = $state eq 'gone' ? $gone + 1 : 0;
      $silent = $state eq 'silent' ? $silent + 1 : 0;
      $is_lost = $gone >= 2 || $silent >= 3 || ($silent && !$is_listed->($request->uri->host_port));
      die "the slave does not answer\n" if $is_lost;
      alarm 1;
    };
    alarm 1;
    my $response = eval { $ask->($ua, $request) };
    alarm 0;
    if ($is_lost) { if (open my $file, '>', $note) { close $file } }
    elsif ($is_known) { unlink $note }
    return $response || $give_up->();
  };

  # GBrowse draws on slaves in a child process for each, which flags the tracks as errors when all retries have failed. Here
  # it draws them itself instead.
  require Bio::Graphics::Browser2::RenderPanels;
  $wrap->('Bio::Graphics::Browser2::RenderPanels::run_remote_requests', sub {
    my ($was) = @_;
    sub {
      my ($self, $requests, $args, $labels) = @_;
      my ($lock_name, $flag_name) = map { "Bio::Graphics::Browser2::CachedTrack::$_" } qw(lock flag_error);
      my ($ask_name, $parent) = ('LWP::UserAgent::request', $$);
      require LWP::UserAgent;
      my ($lock, $flag, $ask) = (\&$lock_name, \&$flag_name, \&$ask_name);
      my %label = map { ("$requests->{$_}" => $_) } @$labels;
      my (%mine, %drawn, %left);
      my $draw = sub {
        my @all = @_;
        local *$lock_name = $lock;
        local *$flag_name = $flag;
        local *$ask_name = $ask;
        my %only = map { ($_ => $requests->{$_}) } @all;
        return if eval { $self->run_local_requests(\%only, $args, \@all); 1 };
        my $error = $@;
        $flag->($_, $error) for values %only;
      };
      {
        local *$lock_name = sub {
          my $label = $label{"$_[0]"};
          $mine{$label} = 1 if defined $label && $$ != $parent;
          goto &$lock;
        };
        local *$flag_name = sub {
          my $label = $label{"$_[0]"};
          goto &$flag unless defined $label;
          # No slave is up: nothing has been forked for it.
          if ($$ == $parent) { $left{$label} = 1; return }
          return if $drawn{$label};
          my @all = sort { $a cmp $b } keys %{{ %mine, $label => 1 }};
          $drawn{$_} = 1 for @all;
          # With the time of now, so that what the slave has taken does not count.
          for my $track (map { $requests->{$_} } @all) { $track->unlock; $lock->($track) }
          $draw->(@all);
          1 while waitpid(-1, 0) > 0;
        };
        local *$ask_name = sub {
          my ($ua, $request) = @_;
          return $ask->(@_) if $$ == $parent;
          my $is_listed = sub { grep { $_ eq "http://$_[0]" } split ' ', $farm->(scalar $self->source->globals) // '' };
          return $watched->($ask, $is_listed, $self->source->globals->slave_status_path, $ua, $request);
        };
        $was->($self, $requests, $args, $labels);
      }
      $draw->(sort keys %left) if %left;
      return;
    }
  });

  # A data source that asks the configuration itself gets "on".
  1;
}`;

/** The lines of the value of `renderfarm`, without comments and empty lines. */
export function livePerlLines(): readonly string[] {
  return PERL.replaceAll('\\${', '${')
    .split('\n')
    .map(line => line.trimEnd())
    .filter(line => line !== '' && !/^\s*#/.test(line));
}
