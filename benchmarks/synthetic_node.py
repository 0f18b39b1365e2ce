"""A lightning-rpc server that knows nothing but forwards, and makes each page up as it is asked for.

Same index, same row, whoever asks: so a daemon, a bare reader and a stock client all read the same history. Rows are
spread over `channels` channels and 400 days; one in ten failed downstream, one in ten failed here.
"""

import argparse
import contextlib
import json
import os
import socketserver
import threading
from typing import Any

NODE_ID = "02" + "ab" * 32
DAYS = 400
END_OF_HISTORY = 1_790_000_000.0
MULTIPLIER = 2_654_435_761


def scid(channel: int) -> str:
    """Return the short channel id of a channel by its number."""
    return f"{700_000 + channel}x{channel % 2000}x{channel % 2}"


class History:
    """`total` forwards, computed from their index, and those that come later."""

    def __init__(self, total: int, channels: int) -> None:
        self.total, self.channels = total, channels
        self.begun = total
        self.news = threading.Condition()
        self._scids = [scid(channel) for channel in range(channels)]
        self.live_from: dict[int, float] = {}

    def row(self, index: int) -> str:
        """Return the row of one created index as JSON."""
        mixed = (index * MULTIPLIER) & 0xFFFFFFFF
        entry = self._scids[mixed % self.channels]
        way_out = self._scids[(mixed // 7919) % self.channels]
        amount = 1_000_000 + mixed % 400_000_000
        fee = 1000 + amount // 5000
        received = self.live_from.get(index) or END_OF_HISTORY - DAYS * 86_400 * (1 - index / self.begun)
        head = (
            f'{{"created_index":{index},"in_channel":"{entry}","in_htlc_id":{index // self.channels},'
            f'"in_msat":{amount + fee},"out_channel":"{way_out}"'
        )
        kind = mixed % 10
        if kind == 0:
            return (
                f'{head},"status":"local_failed","failcode":4103,"failreason":"WIRE_TEMPORARY_CHANNEL_FAILURE",'
                f'"style":"tlv","received_time":{received:.6f}}}'
            )
        status = "failed" if kind == 1 else "settled"
        return (
            f'{head},"updated_index":{index},"out_htlc_id":{index // self.channels},"out_msat":{amount},'
            f'"fee_msat":{fee},"status":"{status}","style":"tlv","received_time":{received:.6f},'
            f'"resolved_time":{received + 1.5:.6f}}}'
        )

    def page(self, start: int, limit: int) -> bytes:
        """Return rows from `start` as a JSON array."""
        last = min(self.total, start + limit - 1)
        return ("[" + ",".join(self.row(index) for index in range(start, last + 1)) + "]").encode()

    def grow(self, count: int, now: float) -> None:
        """Add forwards that settle now."""
        with self.news:
            for index in range(self.total + 1, self.total + count + 1):
                self.live_from[index] = now
            self.total += count
            self.news.notify_all()

    def channel_list(self) -> list[dict[str, Any]]:
        """Return the channels as `listpeerchannels` shows them."""
        return [
            {
                "peer_id": "03" + f"{number:064x}",
                "peer_connected": True,
                "reestablished": True,
                "state": "CHANNELD_NORMAL",
                "opener": "local",
                "features": [],
                "channel_id": f"{number + 1:064x}",
                "short_channel_id": self._scids[number],
                "private": False,
                "total_msat": 5_000_000_000,
                "to_us_msat": 2_500_000_000,
                "our_reserve_msat": 50_000_000,
                "their_reserve_msat": 50_000_000,
                "spendable_msat": 2_400_000_000,
                "receivable_msat": 2_400_000_000,
                "updates": {
                    "local": {
                        "htlc_minimum_msat": 0,
                        "htlc_maximum_msat": 4_950_000_000,
                        "cltv_expiry_delta": 34,
                        "fee_base_msat": 0,
                        "fee_proportional_millionths": 200,
                    }
                },
                "htlcs": [],
                "state_changes": [],
            }
            for number in range(self.channels)
        ]


class Connection(socketserver.BaseRequestHandler):
    """One client; requests are answered one after the other, a `wait` waits."""

    server: "Server"

    def handle(self) -> None:
        """Serve until the client goes."""
        decoder, text = json.JSONDecoder(), ""
        with contextlib.suppress(OSError):
            while chunk := self.request.recv(1 << 16):
                text += chunk.decode()
                while text := text.lstrip():
                    try:
                        asked, end = decoder.raw_decode(text)
                    except ValueError:
                        break
                    text = text[end:]
                    if asked["method"] == "wait" and asked["params"]["nextvalue"]:
                        threading.Thread(target=self._wait, args=(asked,), daemon=True).start()
                    else:
                        self._answer(asked, self._result(asked["method"], asked["params"]))

    def _wait(self, asked: dict[str, Any]) -> None:
        history, params = self.server.history, asked["params"]
        with history.news:
            history.news.wait_for(lambda: history.total >= params["nextvalue"] and params["indexname"] != "deleted")
        with contextlib.suppress(OSError):
            self._answer(asked, json.dumps({"subsystem": "forwards", params["indexname"]: history.total}).encode())

    def _answer(self, asked: dict[str, Any], result: bytes) -> None:
        self.request.sendall(
            b'{"jsonrpc":"2.0","id":' + json.dumps(asked["id"]).encode() + b',"result":' + result + b"}\n\n"
        )

    def _result(self, method: str, params: dict[str, Any]) -> bytes:
        history = self.server.history
        if method == "listforwards":
            return b'{"forwards":' + history.page(params.get("start", 1), params.get("limit", history.total)) + b"}"
        answers: dict[str, Any] = {
            "getinfo": {
                "id": NODE_ID, "alias": "synthetic", "network": "regtest", "version": "v26.06", "blockheight": 900_000,
                "fees_collected_msat": 0,
            },
            "wait": {
                "subsystem": "forwards",
                str(params.get("indexname")): 0 if params.get("indexname") == "deleted" else history.total,
            },
            "listpeerchannels": {"channels": history.channel_list()} if method == "listpeerchannels" else None,
            "listclosedchannels": {"closedchannels": []},
            "listnodes": {"nodes": []},
            "listfunds": {"outputs": [], "channels": []},
            "help": {"help": [{"command": "wait subsystem indexname nextvalue"}]},
        }  # fmt: skip
        return json.dumps(answers[method]).encode()


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Serves one history."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: str, history: History) -> None:
        self.history = history
        super().__init__(path, Connection)


def main() -> None:
    """Serve, and add forwards as told on standard input: one line, `COUNT UNIXTIME`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--forwards", type=int, required=True)
    parser.add_argument("--channels", type=int, default=500)
    asked = parser.parse_args()
    history = History(asked.forwards, asked.channels)
    with Server(asked.socket, history) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print("listening", flush=True)
        for line in os.fdopen(0):
            count, now = line.split()
            history.grow(int(count), float(now))


if __name__ == "__main__":
    main()
