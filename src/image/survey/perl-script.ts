/**
 * A Perl program that loads GBrowse with the modules that its data sources name, and prints what that needed:
 *
 * perl -e SCRIPT MODULE...
 *
 * The last line of its output is JSON: `version` of GBrowse, `inc` (the directories of `@INC`), `loaded` (files),
 * `failed` (modules that are missing or do not load).
 */
export const PERL_SCRIPT = String.raw`
use strict; no warnings;
use JSON::PP;
my @failed;
eval "require Bio::Graphics::Browser2; 1" or print "\n", encode_json({ error => substr $@, 0, 400 }), "\n" and exit 0;
for my $module (qw(Bio::Graphics::Browser2::Render::Slave Bio::Graphics::Browser2::RenderPanels
  Bio::Graphics::Browser2::CachedTrack HTTP::Daemon LWP::UserAgent), grep { /^\w+(?:::\w+)*$/ } @ARGV) {
  eval "require $module; 1" or push @failed, $module;
}
print "\n", encode_json({ version => '' . Bio::Graphics::Browser2->VERSION, inc => [grep { !ref } @INC],
  loaded => [grep { defined && !ref && m{^/} } values %INC], failed => \@failed }), "\n";
`;
