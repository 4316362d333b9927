import { Readable } from 'node:stream';
import type { Ec2Action } from './api.ts';
import { Ec2Error, FOREIGN_ANSWER } from './errors.ts';
import { withoutUnread } from './unread.ts';

/** The largest answer that is read, bytes. A page of 1000 instances, each with 50 tags, takes 9 MB. */
export const LARGEST_ANSWER = 16 * 1024 * 1024;

/** An XML declaration and an opening tag with its namespace fit into so many characters. */
const LONGEST_HEAD = 500;
const NAMESPACE = 'http://ec2.amazonaws.com/doc/';

type HttpResponse = {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body: unknown;
};

function isHttpResponse(response: unknown): response is HttpResponse {
  return typeof response === 'object' && response !== null && 'statusCode' in response && 'body' in response;
}

/**
 * Reads the body of an answer, checks that it is EC2's answer to this action, and puts it back for the SDK. There may
 * be a proxy or a captive portal between this machine and AWS, which answers 200 to everything.
 *
 * @throws {Ec2Error} FOREIGN_ANSWER for a body that is not EC2's, not whole, or too large
 */
export async function readAnswer(action: Ec2Action, response: unknown, signal: AbortSignal): Promise<void> {
  if (!isHttpResponse(response) || !(response.body instanceof Readable)) return;
  const { statusCode, body } = response;
  const bytes = await readBody(body, signal);
  if (bytes === undefined) {
    const limit = LARGEST_ANSWER / 1024 / 1024;
    throw new Ec2Error(action, FOREIGN_ANSWER, `the answer is larger than ${limit} MB`, statusCode);
  }
  const xml = bytes.toString('utf8');
  const isExpected = statusCode < 300 ? isAnswerTo(action, xml) : isErrorAnswer(xml);
  if (!isExpected) throw new Ec2Error(action, FOREIGN_ANSWER, inWords(statusCode, xml), statusCode);
  response.body = Readable.from([Buffer.from(withoutUnread(action, xml))]);
}

/** The whole body; undefined when it is too large. */
async function readBody(body: Readable, signal: AbortSignal): Promise<Buffer | undefined> {
  const stop = () => body.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      // Leaving the loop destroys the stream, and the connection with it.
      if (size > LARGEST_ANSWER) return undefined;
    }
    return Buffer.concat(chunks, size);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Whether the XML is a whole answer to the action: its root element has the action's name and EC2's namespace. */
export function isAnswerTo(action: Ec2Action, xml: string): boolean {
  const root = rootOf(xml);
  return (
    root?.name === `${action}Response` &&
    root.attributes.includes(`xmlns="${NAMESPACE}`) &&
    isWhole(root, xml)
  );
}

/** Whether the XML is a whole error of AWS: `<Response><Errors><Error><Code>…`. */
export function isErrorAnswer(xml: string): boolean {
  const root = rootOf(xml);
  return (
    (root?.name === 'Response' || root?.name === 'ErrorResponse') &&
    isWhole(root, xml) &&
    xml.includes('<Code>')
  );
}

type Root = { readonly name: string; readonly attributes: string };

/** The opening tag of the root element, after the XML declaration; undefined when the text does not begin with one. */
function rootOf(xml: string): Root | undefined {
  let head = xml.slice(0, LONGEST_HEAD).trimStart();
  if (head.startsWith('<?xml')) head = head.slice(head.indexOf('?>') + 2).trimStart();
  const end = head.indexOf('>');
  if (!head.startsWith('<') || end === -1) return undefined;
  const tag = head
    .slice(1, end)
    .replaceAll(/[\t\r\n]/g, ' ')
    .replaceAll("'", '"');
  const [name = ''] = tag.split(' ', 1);
  return { name, attributes: tag.slice(name.length) };
}

function isWhole({ name }: Root, xml: string): boolean {
  return xml.slice(-LONGEST_HEAD).trimEnd().endsWith(`</${name}>`);
}

function inWords(status: number, xml: string): string {
  const begin = xml
    .slice(0, LONGEST_HEAD)
    .trim()
    .replaceAll(/[^\x20-\x7e]/g, ' ')
    .slice(0, 60);
  const what = begin === '' ? 'it is empty' : `it begins with ${begin}`;
  return `the answer does not come from EC2 (HTTP ${status}, ${what}); is there a proxy or a sign-in page between this machine and AWS?`;
}
