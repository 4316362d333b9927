import path from 'node:path';
import { messageOf } from '../errors.ts';
import { PLAIN_ENVIRONMENT, run } from '../os/run.ts';
import { parsed, webUser } from './render.ts';

/** How a process of GBrowse's, with the rights of Apache's user, reads its configuration. */
export type Answer = {
  /** Whether the line of Perl in the farm file is in force. */
  readonly follows: boolean;
  /** GBrowse's `remote renderer`. */
  readonly slaves: readonly string[];
  /** Why the list cannot be read; empty where it can, or is not there. */
  readonly unreadable: string;
  /** Why GBrowse cannot keep an image that a slave has drawn, as it is installed, and with its configuration; or empty. */
  readonly refusal: { readonly installed: string; readonly configured: string };
};

/**
 * A Perl program: `perl -e SCRIPT GBROWSE.CONF LIST`. It reads the configuration as GBrowse does, for a data source
 * without settings of its own. The last line of its output is JSON.
 */
const SCRIPT = String.raw`
use strict; no warnings;
use JSON::PP; use File::Temp;
my ($file, $list) = @ARGV;
eval "use Bio::Graphics::Browser2; use Bio::Graphics::Browser2::DataSource; use Bio::Graphics::Browser2::CachedTrack; 1"
  or answer(missing => "$@");
my $installed = refusal();
my $globals = eval { Bio::Graphics::Browser2->new($file) } or answer(error => "$@" || 'it cannot be read');
@Asked::ISA = 'Bio::Graphics::Browser2::DataSource';
*Asked::code_setting = sub { undef };
*Asked::globals = sub { $globals };
my $asked = bless {}, 'Asked';
eval { $asked->global_setting('renderfarm'); 1 } or answer(error => "$@");
my $slaves = $asked->global_setting('remote renderer') // '';
my $unreadable = $list eq '' || !-e $list && $!{ENOENT} ? '' : open(my $in, '<', $list) ? '' : "$!";
answer(follows => $GBrowseAwsBalancer::wrapped{'Bio::Graphics::Browser2::DataSource::global_setting'} ? 'yes' : '',
  slaves => "$slaves", unreadable => $unreadable, installed => $installed, configured => refusal());

sub refusal {
  my $cache = File::Temp::tempdir(CLEANUP => 1);
  local $SIG{__DIE__};
  eval { Bio::Graphics::Browser2::CachedTrack->new(-cache_base => $cache, -key => 'check')->put_data("\x89PNG", [], []); 1 } ? '' : "$@";
}

sub answer {
  my %said = @_;
  s/ via package .*//s, s/[^\x20-\x7e]+/ /g, s/ at \S+ line \d+\.? ?$//, $_ = substr($_, 0, 400) for values %said;
  print "\n", encode_json(\%said), "\n";
  exit 0;
}
`;

/**
 * Has GBrowse's own modules read a configuration. Root does this with the rights of the web server's user, because the
 * configuration contains program code.
 *
 * @param file its main file, GBrowse.conf
 * @param list the list of slaves that it follows; unset if it follows none
 * @param timeLimit ms
 * @returns the reason if it cannot be asked: no Perl, no modules, no answer
 */
export async function askGBrowse(
  file: string,
  { list = '', timeLimit }: { readonly list?: string; readonly timeLimit: number },
): Promise<Answer | string> {
  const as = process.geteuid?.() === 0 ? await webUser() : undefined;
  try {
    const output = await run(['perl', '-e', SCRIPT, file, list], {
      timeLimit,
      what: 'Perl, with which GBrowse is asked,',
      env: { ...PLAIN_ENVIRONMENT, GBROWSE_CONF: path.dirname(file), GBROWSE_MASTER: path.basename(file) },
      ...(as !== undefined && { as }),
    });
    return parseAnswer(output.trimEnd().split('\n').at(-1) ?? '');
  } catch (error) {
    return messageOf(error);
  }
}

/** What the script's last line says; the reason where GBrowse could not be asked. */
export function parseAnswer(line: string): Answer | string {
  const seen = parsed(line);
  if (typeof seen !== 'object' || seen === null || Object.keys(seen).length === 0) {
    return `Perl ended without a result: ${line.slice(0, 200)}`;
  }
  const text = (name: string) => {
    const value: unknown = Reflect.get(seen, name);
    return typeof value === 'string' ? value.trim() : '';
  };
  if (text('missing') !== '') return `GBrowse's modules cannot be loaded: ${text('missing')}`;
  if (text('error') !== '') return `GBrowse cannot read its configuration: ${text('error')}`;
  return {
    follows: text('follows') === 'yes',
    slaves: text('slaves')
      .split(/\s+/)
      .filter(it => it !== ''),
    unreadable: text('unreadable'),
    refusal: { installed: text('installed'), configured: text('configured') },
  };
}
