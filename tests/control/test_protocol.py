"""What is a request, and where one ends and the next begins."""

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.control.protocol import (
    BAD_PARAMETER,
    BAD_REQUEST,
    MAX_DEPTH,
    NOT_JSON,
    BadRequest,
    BrokenStream,
    Request,
    RequestReader,
    parse_request,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
OBJECTS = st.dictionaries(
    st.text(), st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
)


def read_all(chunks: list[bytes], limit: int = 1 << 20) -> list[bytes]:
    reader, found = RequestReader(limit), []
    for chunk in chunks:
        reader.feed(chunk)
        while (raw := reader.next_request()) is not None:
            found.append(raw)
    return found


@given(st.lists(OBJECTS, max_size=4), st.sampled_from([b"", b"\n\n", b" \r\n\t"]), st.booleans(), st.integers(1, 7))
def test_requests_are_found_whatever_stands_between_them_and_however_they_are_chopped(
    objects: list[dict[str, object]], between: bytes, ascii_only: bool, step: int
) -> None:
    texts = [json.dumps(one, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass") for one in objects]
    stream = between.join(texts) + between
    assert read_all([stream[at : at + step] for at in range(0, len(stream), step)]) == texts


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_bytes_are_either_cut_or_given_up_on_and_never_kept_beyond_the_limit(chunks: list[bytes]) -> None:
    reader = RequestReader(limit=100)
    with contextlib.suppress(BrokenStream):
        for chunk in chunks:
            reader.feed(chunk)
            while (raw := reader.next_request()) is not None:
                assert len(raw) <= 100
            assert len(reader._buffer) <= 100


def test_a_request_that_arrives_byte_by_byte_costs_no_more_than_its_length() -> None:
    text = json.dumps({"params": {"text": "x" * 400_000}}).encode()
    began = time.process_time()
    assert read_all([text[at : at + 1] for at in range(len(text))]) == [text]
    assert time.process_time() - began < 5, "reading what has arrived already again and again would take minutes"


@pytest.mark.parametrize("stream", [b'{"a":"' + b"x" * 200, b'{"a":"' + b"x" * 200 + b'"}', b"[" + b"1," * 100])
def test_a_request_beyond_the_limit_is_given_up_on(stream: bytes) -> None:
    with pytest.raises(BrokenStream, match="100 bytes at most") as raised:
        read_all([stream], limit=100)
    assert raised.value.code == BAD_REQUEST


def test_blanks_do_not_pile_up_and_are_no_half_request() -> None:
    reader = RequestReader(limit=100)
    for _ in range(1000):
        reader.feed(b"\n" * 50)
        assert reader.next_request() is None
        assert not reader.is_midway


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"a":[', b"{["])
def test_a_bomb_of_nested_brackets_is_given_up_on_early(opening: bytes) -> None:
    with pytest.raises(BrokenStream, match=f"{MAX_DEPTH} deep"):
        read_all([opening * 100])


@pytest.mark.parametrize("stream", [b"hello", b"}", b"]", b'"text"', b"\x00", b"\xff\xfe{\x00", b"12 {}"])
def test_what_does_not_begin_like_a_request_is_given_up_on(stream: bytes) -> None:
    with pytest.raises(BrokenStream) as raised:
        read_all([stream])
    assert raised.value.code == NOT_JSON


@pytest.mark.parametrize("left_out", [{"params": []}, {"params": {}}, {}])
def test_no_parameters_may_be_written_in_three_ways(left_out: dict[str, object]) -> None:
    raw = json.dumps({"jsonrpc": "2.0", "id": "a", "method": "m", **left_out}).encode()
    assert parse_request(raw) == Request("a", "m", {})


@pytest.mark.parametrize("field", ["filter", "extra"])
def test_fields_that_other_clients_add_are_ignored(field: str) -> None:
    raw = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "m", "params": {"a": 1}, field: {}}).encode()
    assert parse_request(raw) == Request(7, "m", {"a": 1})


@pytest.mark.parametrize(
    ("raw", "code", "request_id", "said"),
    [
        (b"[]", BAD_REQUEST, None, "one JSON object"),
        (b'[{"jsonrpc":"2.0","id":1,"method":"m"}]', BAD_REQUEST, None, "batches"),
        (b'{"jsonrpc":"2.0","method":"m"}', BAD_REQUEST, None, "id"),
        (b'{"jsonrpc":"2.0","id":null,"method":"m"}', BAD_REQUEST, None, "id"),
        (b'{"jsonrpc":"2.0","id":true,"method":"m"}', BAD_REQUEST, None, "id"),
        (b'{"jsonrpc":"2.0","id":{},"method":"m"}', BAD_REQUEST, None, "id"),
        (b'{"jsonrpc":"1.0","id":1,"method":"m"}', BAD_REQUEST, 1, "jsonrpc"),
        (b'{"id":1,"method":"m"}', BAD_REQUEST, 1, "jsonrpc"),
        (b'{"jsonrpc":"2.0","id":1}', BAD_REQUEST, 1, "method"),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', BAD_REQUEST, 1, "method"),
        (b'{"jsonrpc":"2.0","id":"x","method":"m","params":[1]}', BAD_PARAMETER, "x", "names of the parameters"),
        (b'{"jsonrpc":"2.0","id":"x","method":"m","params":null}', BAD_PARAMETER, "x", "params"),
        (b'{"jsonrpc":"2.0","id":"x","method":"m","params":0}', BAD_PARAMETER, "x", "params"),
        (b'{"jsonrpc":"2.0","id":"x","method":"m","params":"a"}', BAD_PARAMETER, "x", "params"),
    ],
)
def test_a_bad_request_is_refused_with_its_code_and_its_id(
    raw: bytes, code: int, request_id: object, said: str
) -> None:
    with pytest.raises(BadRequest, match=said) as raised:
        parse_request(raw)
    assert (raised.value.code, raised.value.request_id) == (code, request_id)


@pytest.mark.parametrize(
    "raw",
    [b"{]", b"{a}", b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":1e999}', b'{"a":' + b"9" * 5000 + b"}", b'{"a":"\xff"}'],
)
def test_what_is_not_json_is_not_guessed_at(raw: bytes) -> None:
    with pytest.raises(BrokenStream) as raised:
        parse_request(raw)
    assert raised.value.code == NOT_JSON
