"""OCPP-J framing: what each broken frame is answered with, pairing, and remembered answers."""

import json
from time import thread_time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station_agent.ocpp.dialects import OCPP_16, OCPP_21, OCPP_201, Fault
from station_agent.ocpp.rpc import (
    MAX_FRAME_BYTES,
    Answered,
    AnsweredWithError,
    Call,
    CallInFlight,
    Ignored,
    Refused,
    Rpc,
)

DIALECTS = {"1.6": OCPP_16, "2.0.1": OCPP_201, "2.1": OCPP_21}
NOT_RPC = {"1.6": "FormationViolation", "2.0.1": "RpcFrameworkError", "2.1": "RpcFrameworkError"}
MALFORMED = {"1.6": "FormationViolation", "2.0.1": "FormatViolation", "2.1": "FormatViolation"}
MISSHAPEN = {"1.6": "FormationViolation", "2.0.1": "ProtocolError", "2.1": "ProtocolError"}

WITHOUT_AN_ID = [
    "nonsense",
    "{}",
    '"text"',
    "12",
    "null",
    "[]",
    "[2]",
    '[2,null,"Heartbeat",{}]',
    '[2,1.5,"Heartbeat",{}]',
    '[2,["a"],"Heartbeat",{}]',
    "[" * 10_000,
    '\ufeff[2,"1","Heartbeat",{}]',
    b"\xff\xfe\xfd",
]


def error_of(received) -> list:
    assert isinstance(received, Refused)
    assert received.reply is not None
    return json.loads(received.reply)


@pytest.mark.parametrize("version", DIALECTS)
@pytest.mark.parametrize("frame", WITHOUT_AN_ID, ids=lambda frame: repr(frame)[:24])
def test_p01_what_has_no_readable_id_is_answered_with_id_minus_one(version, frame):
    error = error_of(Rpc(DIALECTS[version]).receive(frame))

    assert error[:3] == [4, "-1", NOT_RPC[version]]
    assert len(error) == 5
    assert error[4] == {}


@pytest.mark.parametrize("version", DIALECTS)
@pytest.mark.parametrize(
    ("frame", "codes"),
    [
        ('[2,"7","Heartbeat",{', MALFORMED),
        ('[2,"7","Heartbeat",{"a":"\\ud800"}]', MALFORMED),
        ('[2,"7","Heartbeat",{"a":%s}]' % ("[" * 10_000), MALFORMED),
        ('[2,"7","Heartbeat",{"a":%s}]' % ("[" * 900 + "]" * 900), MALFORMED),
        ('[2,"7","Heartbeat"]', NOT_RPC),
        ('[2,"7"]', NOT_RPC),
        ('[2,"7","Heartbeat",{},{}]', NOT_RPC),
        ('[2,"7",5,{}]', NOT_RPC),
        ('[2,"7","Heartbeat",[]]', MISSHAPEN),
        ('[2,"7","Heartbeat","x"]', MISSHAPEN),
        ('[2,"7","Heartbeat",1]', MISSHAPEN),
    ],
)
def test_p01_what_has_a_readable_id_is_answered_with_it(version, frame, codes):
    error = error_of(Rpc(DIALECTS[version]).receive(frame.encode("utf-8", "surrogatepass")))

    assert error[:3] == [4, "7", codes[version]]


@pytest.mark.parametrize("version", DIALECTS)
@pytest.mark.parametrize(
    ("frame", "message_id", "is_readable"),
    [
        ('[2,"7","StopTransaction",{"a":1},{}]', "7", True),
        ('[2,"7","StopTransaction",{"a":1},null,5]', "7", True),
        ('[2,-17,"StopTransaction",{"a":1},{}]', "-1", True),
        ('[2,true,"StopTransaction",{"a":1}]', "-1", False),
        ('[2,1.5,"StopTransaction",{"a":1}]', "-1", False),
        (f'[2,{10**30},"StopTransaction",{{"a":1}}]', "-1", False),
        ('[2,null,"StopTransaction",{"a":1}]', "-1", False),
        ('[2,"7","StopTransaction",[],{}]', "7", False),
        ('[2,"7","StopTransaction"]', "7", False),
        ('[2,"%s","StopTransaction",{"a":1}]' % ("x" * 300), "-1", False),
    ],
)
def test_p01_what_is_no_call_is_refused_with_its_action_and_what_can_be_read_of_it(
    version, frame, message_id, is_readable
):
    refused = Rpc(DIALECTS[version]).receive(frame)

    assert error_of(refused)[:3] == [4, message_id, NOT_RPC[version]]
    assert refused.action == "StopTransaction"
    assert (refused.call is not None) is is_readable
    if is_readable:
        assert (refused.call.action, refused.call.payload) == ("StopTransaction", {"a": 1})
        assert refused.call.amiss


@pytest.mark.parametrize(("written", "echoed"), [("17", 17), ('"17"', "17"), ("-3", -3)])
def test_a_message_id_is_answered_as_it_was_written(written, echoed):
    rpc = Rpc(OCPP_16)
    call = rpc.receive(f'[2,{written},"StopTransaction",{{}},0]').call

    assert json.loads(rpc.result(call, {})) == [3, echoed, {}]
    assert json.loads(rpc.error(call, Fault.INTERNAL, ""))[:2] == [4, echoed]


def test_a_number_for_an_id_is_read_in_16_and_only_of_a_transaction_message_in_2():
    frame = '[2,17,"Heartbeat",null]'
    call = Rpc(OCPP_16).receive(frame)
    refused = Rpc(OCPP_201).receive(frame)

    assert (call.number, call.message_id, call.payload, call.amiss) == (17, "17", {}, "")
    assert error_of(refused)[:3] == [4, "-1", "RpcFrameworkError"]
    assert (refused.action, refused.call.number) == ("Heartbeat", 17)


def test_p01_brackets_in_texts_and_many_side_by_side_are_no_depth():
    payload = {"a": '[{"\\' * 300, "b": [[]] * 300}

    assert isinstance(Rpc(OCPP_201).receive(json.dumps([2, "7", "Heartbeat", payload])), Call)


@pytest.mark.parametrize("kind", [0, 1, 7, 99, -2, "2", None, 2.5, [2], {"a": 1}])
def test_p03_unknown_message_types_are_ignored_by_16_and_answered_by_201(kind):
    frame = json.dumps([kind, "9", {}])

    assert Rpc(OCPP_16).receive(frame) == Refused(Fault.UNKNOWN_MESSAGE_TYPE, None)
    assert error_of(Rpc(OCPP_201).receive(frame))[:3] == [4, "9", "MessageTypeNotSupported"]


def test_p03_201_answers_an_unknown_type_without_id_with_minus_one():
    assert error_of(Rpc(OCPP_201).receive("[99]"))[:3] == [4, "-1", "MessageTypeNotSupported"]


@pytest.mark.parametrize("kind", [5, 6])
def test_the_message_types_of_21_are_unknown_before_it(kind):
    frame = json.dumps([kind, "9", "NotifyPeriodicEventStream", {}])

    assert error_of(Rpc(OCPP_201).receive(frame))[2] == "MessageTypeNotSupported"
    assert not isinstance(Rpc(OCPP_21).receive(frame), Refused)


def test_a_send_of_21_is_a_call_that_is_never_answered():
    received = Rpc(OCPP_21).receive('[6,"9","NotifyPeriodicEventStream",{}]')

    assert isinstance(received, Call)
    assert received.is_send


def test_quirk_8_an_empty_frame_is_ignored_and_a_null_payload_is_an_empty_one():
    rpc = Rpc(OCPP_16)

    assert rpc.receive(b"") == Ignored("empty")
    assert rpc.receive(" \n") == Ignored("empty")
    assert rpc.receive(b"\0\0") == Ignored("empty")
    assert rpc.receive('[2,"1","Heartbeat",null]').payload == {}


def test_quirk_22_a_value_left_out_after_its_colon_is_read_as_none():
    received = Rpc(OCPP_16).receive('[2,"1","StopTransaction",{"transactionId":,"meterStop":5}]')

    assert isinstance(received, Call)
    assert received.amiss == "broken JSON"
    assert received.payload == {"transactionId": None, "meterStop": 5}


def test_quirk_18_bytes_that_are_no_utf_8_are_replaced_within_a_text():
    received = Rpc(OCPP_16).receive(b'[2,"1","StopTransaction",{"idTag":"04A1\xff"}]')

    assert isinstance(received, Call)
    assert received.amiss == "broken JSON"
    assert received.payload == {"idTag": "04A1\N{REPLACEMENT CHARACTER}"}


def test_quirk_33_an_element_left_out_before_its_comma_is_skipped():
    frame = '[2,"1","MeterValues",{"connectorId":1,"meterValue":[,{"a":"[,{\\":,"}]}]'

    received = Rpc(OCPP_16).receive(frame)

    assert received.payload == {"connectorId": 1, "meterValue": [{"a": '[,{":,'}]}


@pytest.mark.parametrize("dialect", [OCPP_201, OCPP_21])
def test_201_refuses_a_message_id_longer_than_36_and_16_takes_it(dialect):
    message_id = "{" + "a" * 36 + "}"
    frame = json.dumps([2, message_id, "Heartbeat", {}])

    assert error_of(Rpc(dialect).receive(frame))[:3] == [4, message_id, "RpcFrameworkError"]
    assert Rpc(OCPP_16).receive(frame).message_id == message_id


def test_p04_a_frame_over_the_limit_is_not_even_read():
    frame = json.dumps([2, "1", "Heartbeat", {"a": "x" * MAX_FRAME_BYTES}])

    assert error_of(Rpc(OCPP_16).receive(frame))[1] == "-1"


def test_only_one_call_of_ours_is_in_flight():
    rpc = Rpc(OCPP_16)
    rpc.call("a", "Reset", {"type": "Soft"})

    with pytest.raises(CallInFlight):
        rpc.call("b", "Reset", {"type": "Soft"})


def test_an_answer_finds_its_call_once():
    rpc = Rpc(OCPP_16)
    assert json.loads(rpc.call("a", "Reset", {"type": "Soft"})) == [
        2,
        "a",
        "Reset",
        {"type": "Soft"},
    ]

    assert rpc.receive('[3,"a",{"status":"Accepted"}]') == Answered({"status": "Accepted"})
    assert rpc.receive('[3,"a",{"status":"Accepted"}]') == Ignored("answer_to_nothing")


@pytest.mark.parametrize(
    "frame", ['[3,"b",{}]', "[3,null,{}]", '[4,"b","InternalError","",{}]', '[3,"a"]', "[3]", "[4]"]
)
def test_quirk_10_p05_an_answer_to_nothing_we_asked_is_ignored(frame):
    rpc = Rpc(OCPP_16)
    assert rpc.receive(frame) == Ignored("answer_to_nothing")
    rpc.call("a", "Reset", {"type": "Soft"})

    assert rpc.receive(frame) == Ignored("answer_to_nothing")
    assert rpc.receive('[3,"a",{}]') == Answered({})


def test_quirk_10_an_answer_after_we_gave_up_is_ignored():
    rpc = Rpc(OCPP_16)
    rpc.call("a", "Reset", {"type": "Soft"})
    rpc.give_up()
    rpc.call("b", "Reset", {"type": "Soft"})

    assert rpc.receive('[3,"a",{}]') == Ignored("answer_to_nothing")
    assert rpc.receive('[3,"b",{}]') == Answered({})


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ('[4,"a","NotSupported","no",{"x":1}]', AnsweredWithError("NotSupported", "no", {"x": 1})),
        ('[4,"a","NotSupported","no"]', AnsweredWithError("NotSupported", "no", {})),
        ('[4,"a","NotSupported"]', AnsweredWithError("NotSupported", "", {})),
        ('[4,"a","NotSupported","no",[]]', AnsweredWithError("NotSupported", "no", {})),
        ('[3,"a",null]', Answered({})),
        (
            '[3,"a",[]]',
            AnsweredWithError("FormatViolation", "the answer is not an object", {}),
        ),
    ],
)
def test_errors_and_odd_answers_to_our_call_are_read_as_far_as_they_go(frame, expected):
    rpc = Rpc(OCPP_16)
    rpc.call("a", "Reset", {"type": "Soft"})

    assert rpc.receive(frame) == expected


def a_call(rpc: Rpc, message_id: str, value: int) -> Call:
    received = rpc.receive(json.dumps([2, message_id, "DataTransfer", {"vendorId": str(value)}]))
    assert isinstance(received, Call)
    return received


def test_quirk_9_the_same_frame_again_gets_the_same_answer():
    rpc = Rpc(OCPP_16)
    rpc.remember(a_call(rpc, "1", 1), b"answer")

    assert rpc.recall(a_call(rpc, "1", 1)) == b"answer"
    assert rpc.recall(a_call(rpc, "1", 2)) is None
    assert rpc.recall(a_call(rpc, "2", 1)) is None


def test_quirk_8_a_charger_with_one_id_for_all_is_heard_each_time():
    rpc = Rpc(OCPP_16)
    rpc.remember(a_call(rpc, "1", 1), b"first")
    rpc.remember(a_call(rpc, "1", 2), b"second")

    assert rpc.recall(a_call(rpc, "1", 1)) is None
    assert rpc.recall(a_call(rpc, "1", 2)) == b"second"


def test_remembered_answers_are_bounded():
    rpc = Rpc(OCPP_16)
    for number in range(100):
        rpc.remember(a_call(rpc, str(number), 1), b"answer")

    assert rpc.recall(a_call(rpc, "99", 1)) == b"answer"
    assert rpc.recall(a_call(rpc, "0", 1)) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
TAMPERED = st.builds(
    lambda kind, rest: json.dumps([kind, *rest]).encode("utf-8", "surrogatepass"),
    st.integers(0, 7),
    st.lists(JSON, max_size=5),
)


@given(st.sampled_from(sorted(DIALECTS)), st.binary(max_size=200) | TAMPERED)
def test_p11_no_frame_raises_and_every_refusal_is_a_frame_of_five(version, frame):
    rpc = Rpc(DIALECTS[version])
    rpc.call("a", "Reset", {"type": "Soft"})

    received = rpc.receive(frame)

    if isinstance(received, Refused) and received.reply is not None:
        kind, message_id, code, description, details = msgspec.json.decode(received.reply)
        assert kind == 4
        assert 0 < len(message_id) <= 255
        assert code in DIALECTS[version].codes.values()
        assert len(description) <= 255
        assert details == {}


@given(st.text(max_size=300))
def test_p11_a_payload_text_survives_the_mending_of_what_surrounds_it(text):
    frame = f'[2,"1","DataTransfer",{{"vendorId":,"data":{json.dumps(text)}}}]'

    received = Rpc(OCPP_16).receive(frame.encode("utf-8", "surrogatepass"))

    assert isinstance(received, Call)
    assert received.payload == {"vendorId": None, "data": text}


def test_s19_mending_takes_linear_time_whatever_the_quotes():
    assert isinstance(Rpc(OCPP_16).receive('[2,"1","X",' + '\\"' * 32_000), Refused)
    assert isinstance(Rpc(OCPP_16).receive('[2,"1","X",' + ":   " * 16_000), Refused)
    assert isinstance(Rpc(OCPP_16).receive('[2,"1","X",' + "[   " * 16_000), Refused)


def s19_taken_s(frame: str) -> float:
    """Return what reading a frame costs at least, in seconds of the processor."""
    rpc, costs = Rpc(OCPP_201), []
    for _ in range(3):
        began_s = thread_time()
        rpc.receive(frame)
        costs.append(thread_time() - began_s)
    return min(costs)


@pytest.mark.parametrize(
    ("head", "again"),
    [
        ('[2,"1","X",' + "[" * 130 + '"', '\\"'),
        ('[2,"1","X",' + "[" * 130, '"\\'),
        ('[2,"1","X",' + "[" * 130, '"[]" '),
        ('[2,"1","X",', '\\"'),
        ('[2,"1","X",', '"\\'),
        ('[2,"1","X",', ":   "),
        ('[2,"1","X",', "[   "),
        ("", "   "),
        ('[2   ,"', "   "),
        ('[2,"1"', "   "),
        ('[2,"1","X",{"a":', "9"),
        ('[2,"1","X",{"a":"', "\\ud800"),
    ],
    ids=range(12),
)
def test_s19_a_frame_of_eight_times_the_length_costs_no_64_times_as_much(head, again):
    few, many = (head + again * (size // len(again)) for size in (4_000, 32_000))

    assert s19_taken_s(many) < 32 * max(s19_taken_s(few), 1e-4)
