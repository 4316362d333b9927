"""The region's network. The namespace that we run in is the internet, and the master is in it: it routes between the
instances' links. Private addresses are the VPC's; a public one is translated to it. Addresses of nobody end here.
"""
import threading

import ec2_behaviour as ec2
import metadata
import security_groups
from namespaces import ip, listen, sh

# The master's address on the internet when it is not an instance itself.
MASTER_OUTSIDE = '198.18.0.1'

NAT = """table ip public_addresses {
  map instances { type ipv4_addr : ipv4_addr; }
  chain arriving { type nat hook prerouting priority -100; dnat to ip daddr map @instances; }
  chain from_master { type nat hook output priority -100; dnat to ip daddr map @instances; }
}
"""


def public_addresses():
    for number in range(1, 30000):
        yield f'198.18.{128 + number // 250}.{number % 250 + 1}'


class Region:
    def __init__(self, directory, hidden, image=None, emulated=None, quick=False):
        self.directory, self.hidden, self.image, self.emulated = directory, hidden, image, emulated
        self.quick = quick
        self.lock = threading.Lock()
        self.master_rules = None
        self.master = None

    def up(self):
        with open('/proc/sys/net/ipv4/ip_forward', 'w') as switch:
            switch.write('1')
        sh('nft', '-f', '-', stdin=NAT)

    def put_master_outside(self):
        self.put_master(MASTER_OUTSIDE)

    def put_master_inside(self, instance):
        """Makes an instance of the machine that we run on: its address, its metadata, its security groups."""
        self.master, self.interruption, self.instance = instance, None, instance
        self.put_master(instance.private_ip)
        ip(f'addr add {metadata.ADDRESS[0]}/32 dev lo')
        metadata.serve(self, lambda: listen(metadata.ADDRESS))
        self.publish(None, instance.public_ip, instance.private_ip)
        self.follow_groups()

    def put_master(self, address):
        """All that the master sends comes from its address. What is for nobody ends in a namespace that forwards nothing."""
        sh('ip', 'netns', 'add', 'nowhere')
        ip(
            'link add name uplink type veth peer name downlink netns nowhere',
            'link set uplink up arp off',
            f'addr add {address}/32 dev uplink',
            f'route add default dev uplink src {address}',
        )
        ip('link set downlink up', namespace='nowhere')
        self.address = address

    def follow_groups(self):
        """The security groups of a master that is an instance."""
        if self.master is None:
            return
        rules = security_groups.rules_of(self.master, 'up')
        if rules != self.master_rules:
            sh('nft', '-f', '-', stdin=rules)
            self.master_rules = rules

    def publish(self, old, new, private):
        """A public address leads to an instance from now on, the old one to nobody."""
        with self.lock:
            if old is not None:
                sh('nft', f'delete element ip public_addresses instances {{ {old} }}', check=False)
            if new is not None:
                sh('nft', f'add element ip public_addresses instances {{ {new} : {private} }}')

    def down(self):
        ends = [threading.Thread(target=machine.end) for machine in ec2.MACHINES.values()]
        for end in ends:
            end.start()
        for end in ends:
            end.join()
        sh('ip', 'netns', 'delete', 'nowhere')
        sh('ip', 'addr', 'delete', f'{metadata.ADDRESS[0]}/32', 'dev', 'lo', check=False)
        sh('nft', 'flush ruleset')
