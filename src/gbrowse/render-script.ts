/**
 * A Perl program that draws one track of one data source as GBrowse's own pages do: it serialises the data source and
 * the view, sends them to a slave, and reads the answer (Bio::Graphics::Browser2::RenderPanels, `run_remote_requests`).
 * Without a slave's address it has GBrowse's slave code do it in the same process; no port is opened.
 *
 * perl -e SCRIPT GBROWSE.CONF SOURCE SECONDS [http://HOST:PORT]
 *
 * The last line of its output is JSON: `track`, `seconds`, and `bytes` of the image or `error`; `put` is the error with
 * which GBrowse refuses to keep the image.
 */
export const RENDER_SCRIPT = String.raw`
use strict; no warnings;
use JSON::PP; use Time::HiRes 'time';
my ($file, $name, $limit, $slave) = @ARGV;
my ($begin, $track, $put) = (time, undef, undef);
my $bytes = eval {
  local $SIG{ALRM} = sub { die "it was not drawn within $limit s\n" };
  alarm $limit;
  my $image = draw();
  alarm 0;
  $put = refusal($image);
  length $image;
};
my $error = $@;
alarm 0;
s/ via package .*//s, s/[^\x20-\x7e]+/ /g, s/ at \S+ line \d+\.? ?$// for $error, $put;
print "\n", encode_json({ track => $track, seconds => 0 + sprintf('%.2f', time - $begin),
  (defined $bytes ? (bytes => $bytes) : (error => substr($error, 0, 400))), ($put ? (put => substr($put, 0, 200)) : ()) }), "\n";
exit 0;

sub draw {
  eval "use Bio::Graphics::Browser2; use Bio::Graphics::Browser2::I18n; use Bio::Graphics::Browser2::Render::Slave;
    use LWP::UserAgent; use HTTP::Request::Common (); use Storable (); 1" or die "GBrowse cannot be loaded: $@";
  $Storable::Deparse = $Storable::Eval = 1;
  my $globals = Bio::Graphics::Browser2->new($file);
  my $source = $globals->create_data_source($name) or die "its configuration cannot be read\n";
  ($track) = grep { !/^_|:/ && $source->setting($_ => 'feature') } $source->detail_tracks;
  defined $track or die "it has no track\n";
  my $db = $source->open_database($track) or die "its database cannot be opened on this machine\n";
  my ($id, $start, $end) = ($source->global_setting('initial landmark') // '') =~ /^([^\s:|]+)(?::([\d,]+)(?:\.\.|-)([\d,]+))?/;
  tr/,//d for $start, $end;
  my ($whole) = defined $id ? eval { $db->segment($id) } : ();
  if (!$whole) {
    ($id) = sort eval { $db->seq_ids };
    ($whole, $start) = $db->segment($id) if defined $id;
  }
  my ($first, $last) = $whole ? ($whole->start, $whole->end) : ();
  if (!$whole) { # a database that knows sequences by their features alone
    my $stream = eval { $db->get_seq_stream(-types => [split ' ', $source->setting($track => 'feature')]) };
    my $feature = $stream && $stream->next_seq or die "its database has nothing for track $track\n";
    ($id, $first, $start, $end) = ($feature->seq_id, 1, $feature->start, $feature->end + 1000);
    $last = $end;
  }
  ($start, $end) = ($first, $first + 5000) unless defined $start;
  $end = $last if $end > $last;
  my %settings = (ref => $id, start => $start, stop => $end, view_start => $start, view_stop => $end, seg_min => $first,
    seg_max => $last, name => "$id:$start..$end", width => 800, grid => 1, source => $name, features => {});
  my $freeze = \&Storable::nfreeze;
  my @form = (operation => 'render_tracks', panel_args => $freeze->({ section => 'detail' }), tracks => $freeze->([$track]),
    settings => $freeze->(\%settings), datasource => $freeze->($source), data_name => $name, data_mtime => 0,
    language => $freeze->(Bio::Graphics::Browser2::I18n->new), env => $freeze->({}));
  my $request = HTTP::Request::Common::POST($slave // 'http://localhost/', Content_Type => 'form-data', Content => \@form);
  my $answer = $slave ? LWP::UserAgent->new(timeout => $limit)->request($request) : answer_here($request);
  $answer && $answer->is_success or die 'the slave answers: ' . ($answer ? $answer->status_line : 'nothing') . "\n";
  my $image = (Storable::thaw($answer->content) || {})->{$track}{imagedata};
  defined $image && $image =~ /^\x89PNG/ or die "there is no image in the slave's answer\n";
  $image;
}

sub answer_here {
  require File::Temp;
  my $cache = File::Temp::tempdir(CLEANUP => 1);
  my $slave = bless { args => { PreForkCopies => 2, CCacheDir => $cache }, debug => 0 }, 'Bio::Graphics::Browser2::Render::Slave';
  my $connection = bless {}, 'Answer';
  $slave->process_request(shift, $connection);
  $connection->{answer};
}

sub refusal {
  require File::Temp; require Bio::Graphics::Browser2::CachedTrack;
  my $cache = File::Temp::tempdir(CLEANUP => 1);
  eval { Bio::Graphics::Browser2::CachedTrack->new(-cache_base => $cache, -key => 'check')->put_data($_[0], [], []); 1 } ? '' : $@;
}

sub Answer::send_response { $_[0]{answer} = $_[1] }
sub Answer::peerhost { 'localhost' }
`;
