import { findOption, formatDocument, parseDocument, setOption } from '../config/document.ts';
import { price } from '../format/money.ts';
import type { Change } from './changes.ts';
import { withServiceValues } from './service-file.ts';

/** The options of `[SLAVE]` and `[MASTER]` that setup sets; undefined: unchanged. */
export type Answers = {
  readonly name?: string;
  readonly region?: string;
  readonly instanceTypes?: string;
  readonly spotBid?: number;
  readonly imageId?: string;
  readonly subnet?: string;
  readonly securityGroup?: string;
  readonly serverStatusUrl?: string;
  /** For the settings of the service. */
  readonly keys?: { readonly accessKey: string; readonly secretKey: string; readonly sessionToken?: string };
  readonly profile?: string;
  /** Whether the keys in the settings of the service go, which would win over the profile. */
  readonly removesKeys?: boolean;
};

/** A text file as it was found. */
export type Found = {
  readonly file: string;
  readonly text: string | undefined;
  readonly encoding?: 'utf8' | 'latin1';
};

/** The configuration's text with the answers in it; an option that already has the same value keeps its line. */
export function withAnswers(text: string, answers: Answers): string {
  const values: readonly (readonly ['MASTER' | 'SLAVE', string, string | undefined])[] = [
    ['MASTER', 'name', answers.name],
    ['MASTER', 'server_status_url', answers.serverStatusUrl],
    ['SLAVE', 'region', answers.region],
    ['SLAVE', 'instance_type', answers.instanceTypes],
    ['SLAVE', 'spot_bid', answers.spotBid === undefined ? undefined : price(answers.spotBid).slice(1)],
    ['SLAVE', 'image_id', answers.imageId],
    ['SLAVE', 'subnet', answers.subnet],
    ['SLAVE', 'security_group', answers.securityGroup],
  ];
  const document = values.reduce((all, [section, name, value]) => {
    const present = findOption(all, section, name)?.value;
    const isSame = (present ?? '') === value || (name === 'spot_bid' && Number(present) === Number(value));
    return value === undefined || isSame ? all : setOption(all, section, name, value);
  }, parseDocument(text));
  return formatDocument(document);
}

/**
 * The changes that result from the answers.
 *
 * @param base the text that the answers go into: that of the configuration file, or the package's with the original's
 *   settings
 * @returns only files that change; keys are in one that root alone reads
 */
export function planChanges(
  {
    configuration,
    service,
    base,
  }: { readonly configuration: Found; readonly service: Found; readonly base: string },
  answers: Answers,
): readonly Change[] {
  const { keys, profile, removesKeys } = answers;
  const { accessKey, secretKey, sessionToken } = keys ?? {};
  const serviceText = withServiceValues(service.text ?? '', {
    ...(removesKeys === true && { plain: { ACCESS_KEY: '', SECRET_KEY: '' } }),
    ...(accessKey !== undefined &&
      secretKey !== undefined && { plain: { ACCESS_KEY: accessKey, SECRET_KEY: secretKey } }),
    exported: {
      ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
      ...(profile !== undefined && { AWS_PROFILE: profile }),
    },
  });
  const changes: readonly Change[] = [
    { file: service.file, before: service.text, after: serviceText, mode: 0o600 },
    {
      file: configuration.file,
      before: configuration.text,
      after: withAnswers(base, answers),
      ...(configuration.encoding !== undefined && { encoding: configuration.encoding }),
    },
  ];
  return changes.filter(({ before = '', after }) => before !== after);
}
