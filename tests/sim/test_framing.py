"""Requests are cut out of the stream wherever the kernel cuts it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.sim.framing import NotARequest, RequestStream

REQUESTS = [
    {"id": 1, "method": "wait", "params": {"text": 'a "quoted" \\ {brace}'}},
    {"id": "ü", "method": "help", "params": []},
    {"id": 3, "nested": {"deep": {"er": [{}]}}},
]


@given(cuts=st.lists(st.integers(0, 400), max_size=10), between=st.sampled_from(["", " ", "\n\n"]))
def test_every_request_comes_out_whole_however_it_arrives(cuts: list[int], between: str) -> None:
    sent = between.join(json.dumps(request, ensure_ascii=False) for request in REQUESTS).encode()
    stream, got, begin = RequestStream(), [], 0
    for end in [*sorted(min(cut, len(sent)) for cut in cuts), len(sent)]:
        got += stream.feed(sent[begin:end])
        begin = end
    assert got == REQUESTS


@pytest.mark.parametrize(
    "sent", [b"hello", b"[1]", b'{"a":NaN}', b'{"a":}', b'{"a":1}x', b"{" * 100_000 + b"}" * 100_000]
)
def test_what_is_no_request_is_refused(sent: bytes) -> None:
    with pytest.raises(NotARequest):
        RequestStream().feed(sent)


def test_half_a_request_is_waited_for() -> None:
    assert RequestStream().feed(b'{"id":1') == []
