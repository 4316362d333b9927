/**
 * A shell script that prints the last lines of a slave's logs: of our own script, of `gbrowse_slave`, of cloud-init. With
 * `follow` it goes on until its standard input ends, as that of a broken connection does. The directory of GBrowse's
 * logs belongs to the slave's user, so links in it are not followed.
 */
export function logScript(lines: number, follow: boolean): string {
  return `set --
for log in /var/log/cloud-init-output.log /var/log/gbrowse/gbrowse_slave* /var/log/gbrowse2/gbrowse_slave* /var/log/gbrowse-aws-balancer-slave.log; do
  [ -f "$log" ] && [ ! -L "$log" ] && set -- "$@" "$log"
done
[ $# -gt 0 ] || { echo 'There are no logs yet.'; exit 0; }
${
  follow
    ? `tail -v -n ${lines} -F "$@" 2>/dev/null &
cat > /dev/null
kill $!`
    : `tail -v -n ${lines} "$@"`
}`;
}

/** The command for ssh: it runs the script as root where the login may, for some logs are only root's. */
export function logCommand(lines: number, follow: boolean): string {
  const script = `'${logScript(lines, follow).replaceAll("'", "'\\''")}'`;
  return `if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then exec sudo -n sh -c ${script}; else exec sh -c ${script}; fi`;
}
