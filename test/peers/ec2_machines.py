"""What an instance of the stand-in is: an address of the loopback network, and on its ports a listener that answers every
request with 403, as gbrowse_slave does.

Each stand-in takes a 127.x.0.0/16 of its own, so that several run side by side. A machine of another kind (a network
namespace with a real host in it) has the same methods.
"""
import asyncio
import socket
import struct
import threading

ANSWER = b'HTTP/1.1 403 Request datasource\r\nContent-Length: 0\r\n\r\n'
RESET_ON_CLOSE = struct.pack('ii', 1, 0)


def claim_network():
    """The x of a 127.x.0.0/16 that no other stand-in has, and the socket that claims it for as long as we live."""
    for x in range(16, 250):
        claim = socket.socket()
        try:
            claim.bind((f'127.{x}.255.254', 40001))
            claim.listen(1)
            return x, claim
        except OSError:
            claim.close()
    raise SystemExit('no free 127.x.0.0/16')


class Network:
    """The addresses of the machines, and the thread that their listeners run in."""

    def __init__(self):
        self.x, self.claim = claim_network()
        self.given = 0
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def address(self):
        self.given += 1
        return f'127.{self.x}.{self.given // 200}.{self.given % 200 + 1}'

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)


class Machine:
    def __init__(self, network, address, ports):
        self.network, self.address, self.ports = network, address, ports
        self.behaviour = 'answer'
        self.servers, self.connections = [], set()

    def start(self):
        self.network.run(self._open())

    def stop(self):
        self.network.run(self._close())

    def behave(self, behaviour):
        """`answer`; `refuse`: nothing listens; `hang`: connections are taken and never answered."""
        self.stop()
        self.behaviour = behaviour
        if behaviour != 'refuse':
            self.start()

    async def _open(self):
        for port in self.ports:
            self.servers.append(await asyncio.start_server(self._serve, self.address, port))

    async def _close(self):
        for server in self.servers:
            server.close()
        self.servers = []
        for writer in list(self.connections):
            writer.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            writer.transport.abort()

    async def _serve(self, reader, writer):
        self.connections.add(writer)
        try:
            while True:
                await reader.readuntil(b'\r\n\r\n')
                if self.behaviour == 'hang':
                    await asyncio.sleep(3600)
                writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.connections.discard(writer)
            writer.close()
