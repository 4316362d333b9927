"""Security groups as rules of nft, in force in the namespace of each instance: what they do not let in is dropped."""
import ec2_behaviour as ec2

# What a test does to an instance's network: `dark` drops every packet, in and out; `lossy` three in ten.
NETWORKS = {'up': '', 'dark': 'drop', 'lossy': 'numgen random mod 100 < 30 drop'}

TABLE = """table inet security_groups {{}}
delete table inet security_groups
table inet security_groups {{
  chain incoming {{
    type filter hook {arriving} priority 0; policy drop;
    {own} accept
    {network}
    ct state established,related accept
    {rules}
  }}
  chain outgoing {{
    type filter hook {leaving} priority 0; policy accept;
    oif lo accept
    {network}
  }}
}}
"""


def groups_of(instance):
    groups = list(instance.security_groups or [])
    return groups + [group for card in instance.nics.values() for group in card.group_set]


def members_of(group_id):
    return [
        it.private_ip
        for it in ec2.backend().all_instances()
        if it.state in ('pending', 'running') and any(group.id == group_id for group in groups_of(it))
    ]


def sources_of(rule):
    address_range = (rule.ip_range or {}).get('CidrIp')
    if address_range:
        return [address_range]
    group = (rule.source_group or {}).get('GroupId')
    return members_of(group) if group else []


def statement(rule, source):
    origin = '' if source == '0.0.0.0/0' else f'ip saddr {source} '
    if rule.ip_protocol in ('tcp', 'udp'):
        return f'{origin}{rule.ip_protocol} dport {rule.from_port}-{rule.to_port} accept'
    if rule.ip_protocol == 'icmp':
        return f'{origin}ip protocol icmp accept'
    return f'{origin}accept'


def rules_of(instance, network, inside=None):
    """`inside`: the link to a machine that the namespace only routes to."""
    statements = [
        statement(rule, source)
        for group in groups_of(instance)
        for rule in group.ingress_rules
        for source in sources_of(rule)
    ]
    if inside is None:
        hooks = {'arriving': 'input', 'leaving': 'output', 'own': 'iif lo'}
    else:
        hooks = {'arriving': 'forward', 'leaving': 'forward', 'own': f'iifname {inside}'}
    return TABLE.format(**hooks, network=NETWORKS[network], rules='\n    '.join(dict.fromkeys(statements)))
