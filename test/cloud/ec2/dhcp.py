"""A DHCP server with one address for one machine. (RFC 2131; options: RFC 2132)"""
import socket
import struct

SERVER, CLIENT = 67, 68
REPLY, COOKIE, END = 2, b'\x63\x82\x53\x63', 255
MASK, ROUTER, SECONDS, KIND, IDENTIFIER = 1, 3, 51, 53, 54
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
LEASE_SECONDS = 3600
# operation, hardware: kind, length, hops; transaction; seconds, flags; addresses: client, yours, server, relay; hardware
HEADER = '!BBBB4sHH4s4s4s4s16s192x'


def listen(device):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    listener.bind(('', SERVER))
    return listener


def kind_of(packet):
    options = packet[struct.calcsize(HEADER) + len(COOKIE) :]
    while options and options[0] != END:
        if options[0] == 0:
            options = options[1:]
            continue
        if options[0] == KIND:
            return options[2]
        options = options[2 + options[1] :]
    return None


def answer(packet, address, netmask, router):
    """The answer to a packet; None for those that need none."""
    kind = {DISCOVER: OFFER, REQUEST: ACK}.get(kind_of(packet))
    if kind is None:
        return None
    _, hardware, length, _, transaction, _, flags, client, _, _, relay, card = struct.unpack_from(HEADER, packet)
    yours, server = socket.inet_aton(address), socket.inet_aton(router)
    head = struct.pack(
        HEADER, REPLY, hardware, length, 0, transaction, 0, flags, client, yours, server, relay, card
    )
    options = {
        KIND: bytes([kind]),
        IDENTIFIER: server,
        SECONDS: struct.pack('!I', LEASE_SECONDS),
        MASK: socket.inet_aton(netmask),
        ROUTER: server,
    }
    coded = b''.join(bytes([code, len(value)]) + value for code, value in options.items())
    return head + COOKIE + coded + bytes([END])


def serve(listener, address, netmask, router):
    """Answers until the socket is closed."""
    while True:
        try:
            packet, _ = listener.recvfrom(2048)
            said = answer(packet, address, netmask, router)
            if said is not None:
                listener.sendto(said, ('255.255.255.255', CLIENT))
        except OSError:
            return
