/** Where a service of AWS answers: as the SDK's own settings say, else its regional address. */
export function endpointOf(service: 'EC2' | 'STS', region: string, env: NodeJS.ProcessEnv): string {
  const set = env[`AWS_ENDPOINT_URL_${service}`] ?? env.AWS_ENDPOINT_URL;
  if (set !== undefined && set !== '') return set;
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://${service.toLowerCase()}.${region}.${suffix}`;
}
