"""How they dial, frame and pair (QUIRKS 1-11)."""

import re
from typing import Final

from websockets.datastructures import Headers

from simulator.chargers.quirks.quirk import Quirk


def _name_no_protocol(headers: Headers) -> None:
    headers["Sec-WebSocket-Protocol"] = ""


def _forget_connection(headers: Headers) -> None:
    del headers["Connection"]


def _null_payload(action: str, text: str) -> str:
    del action
    return re.sub(r",\{\}\]$", ",null]", text)


QUIRKS: Final[tuple[Quirk, ...]] = (
    Quirk("no_subprotocol", "offers no subprotocol (1)", offers=()),
    Quirk(
        "empty_subprotocol",
        "offers a subprotocol without a name (1)",
        offers=(),
        habits={"amends": _name_no_protocol},
    ),
    Quirk(
        "no_connection_header",
        "asks for the upgrade without `Connection: Upgrade` (2)",
        habits={"amends": _forget_connection},
    ),
    Quirk(
        "odd_handshake_key",
        "sends a handshake key that is not 16 bytes (2)",
        habits={"handshake_key": "Baywatt Labs Virtual 1"},
    ),
    Quirk(
        "deep_path",
        "puts a path and slashes before its id (2)",
        habits={"before_id": "//ocpp/j//1.6/"},
    ),
    Quirk("slash_at_the_end", "ends its path with a slash (2)", habits={"after_id": "/"}),
    Quirk("lower_case_id", "writes its id in lower case (3)", habits={"spells": str.lower}),
    Quirk("no_pongs", "answers no ping (5)", habits={"pongs": False}),
    Quirk("wants_pings", "hangs up if not pinged in 30 s (5)", habits={"wants_pings_s": 30}),
    Quirk(
        "slow_redial",
        "dials again after six minutes (6)",
        habits={"redials_after_s": 360},
    ),
    Quirk("says_201", "offers OCPP 2.0.1, whatever it speaks (7)", offers=("ocpp2.0.1",)),
    Quirk("says_16", "offers OCPP 1.6, whatever it speaks (7)", offers=("ocpp1.6",)),
    Quirk("binary_frames", "sends binary frames (8)", habits={"is_binary": True}),
    Quirk("empty_frames", "sends empty frames between its messages (8)", habits={"noise": ("",)}),
    Quirk("null_payload", "writes null for an empty payload (8)", rewrite=_null_payload),
    Quirk("one_message_id", "gives all its calls one id (8)", manners={"message_id": "1"}),
    Quirk(
        "number_message_ids",
        "gives its calls numbers for ids, and wants them back so (8)",
        manners={"numbers_ids": True},
    ),
    Quirk("empty_message_id", "gives its calls an empty id (8)", manners={"message_id": ""}),
    Quirk(
        "says_all_twice", "sends each call again before it is answered (9)", manners={"copies": 1}
    ),
    Quirk(
        "same_message_id",
        "repeats a call under its old id (9)",
        manners={"renews_message_ids": False},
    ),
    Quirk("late_answers", "answers calls after 35 s (10)", manners={"answers_after_s": 35}),
    Quirk(
        "answers_unasked",
        "answers what nobody asked (10)",
        habits={"noise": ('[3,"nobody-asked",{}]', '[4,"nobody-asked","GenericError","",{}]')},
    ),
    Quirk(
        "asks_first",
        "wants its own call answered before it answers one (11)",
        manners={"asks_first": True},
    ),
)
