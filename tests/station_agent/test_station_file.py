"""The station file: read strictly, with every problem named at once, at its place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from station_agent.__main__ import app
from station_agent.station_file import StationFileWrong, parse_station

GOOD = """\
station: dundee-greenmarket
sensor_broker: mqtt://user:pw@localhost:1884
chargers:
  - id: DD-GREEN-01
    evses: 3
  - id: DD-GREEN-02
bays:
  - id: dundee-greenmarket-1
    charger: DD-GREEN-01
    evse: 1
    sensors:
      - id: gm-1
        vendor: zigbee2mqtt
        topic: zigbee2mqtt/gm-1
        silent_after_s: 1800
        options: {occupied_when: "contact == false"}
      - {id: gm-1b, vendor: plain, topic: sensors/gm-1}
  - id: dundee-greenmarket-2
    charger: DD-GREEN-01
    evse: 2
    sensors:
      - {id: gm-2, vendor: plain, topic: sensors/gm-1, options: {occupied_when: second == true}}
  - id: dundee-greenmarket-3
    charger: DD-GREEN-02
    evse: 2
"""


def problems_of(text):
    with pytest.raises(StationFileWrong) as caught:
        parse_station(text)
    return [str(problem) for problem in caught.value.problems]


def a_file(bays="", **more):
    head = "".join(f"{key}: {value}\n" for key, value in ({"station": "dundee"} | more).items())
    return head + "bays:\n" + (bays or "  - {id: b1, charger: C1, evse: 1}\n")


def a_sensor(**fields):
    defaults = {"id": "s", "vendor": "plain", "topic": "sensors/s"}
    written = ", ".join(f"{key}: {value}" for key, value in (defaults | fields).items())
    return a_file(f"  - {{id: b1, charger: C1, evse: 1, sensors: [{{{written}}}]}}\n")


def test_a_station_is_looked_up_by_every_way_it_is_asked_for():
    station = parse_station(GOOD)

    assert station.station_id == "dundee-greenmarket"
    assert station.sensor_broker == "mqtt://user:pw@localhost:1884"
    assert station.bay_of("DD-GREEN-01", 2) == "dundee-greenmarket-2"
    assert station.bay_of("DD-GREEN-01", 3) is station.bay_of("X", 1) is None
    assert station.evses_of("DD-GREEN-01") == (1, 2, 3)
    assert station.evses_of("DD-GREEN-02") == (1, 2)
    assert station.evses_of("X") == ()
    assert list(station.sensors) == ["gm-1", "gm-1b", "gm-2"]
    assert station.sensors["gm-1"].silent_after_s == 1800
    assert station.sensors["gm-1b"].silent_after_s == 90
    concerned = station.sensors_by_topic
    assert [one.sensor_id for one in concerned["sensors/gm-1"]] == ["gm-1b", "gm-2"]
    assert [one.sensor_id for one in concerned["zigbee2mqtt/gm-1/availability"]] == ["gm-1"]


def test_without_a_list_of_chargers_the_bays_say_which_there_are():
    station = parse_station(
        a_file("  - {id: b1, charger: C1, evse: 1}\n  - {id: b2, charger: C1, evse: 4}\n")
    )

    assert station.evses_of("C1") == (1, 2, 3, 4)


def test_all_problems_are_told_at_once_in_the_order_of_the_file():
    text = """\
station: Dundee
sensor_brokr: mqtt://localhost
bays:
  - id: b-1
    charger: C1
    evse: one
    sensors:
      - id: 12
        vendor: zigbe2mqtt
        topic: a
  - charger: C1
"""

    assert problems_of(text) == [
        (
            "1:10: station: found 'Dundee' (text), expected small letters, digits, - and _, "
            "at most 63, first a letter or digit"
        ),
        "2:1: unknown key 'sensor_brokr'; did you mean 'sensor_broker'?",
        "6:11: bays[0].evse: found 'one' (text), expected a whole number from 1 to 1000",
        (
            "8:13: bays[0].sensors[0].id: found 12 (a whole number), expected a name of 1 to "
            "128 characters, in quotes"
        ),
        "9:17: bays[0].sensors[0].vendor: unknown vendor 'zigbe2mqtt'; did you mean 'zigbee2mqtt'?",
        "11:5: bays[1]: key 'evse' is missing",
        "11:5: bays[1]: key 'id' is missing",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: the file is empty, expected the key 'station'"),
        ("just words", "1:1: found 'just words' (text), expected keys with values"),
        ("station: [", "1:11: not YAML: expected the node content, but found '<stream end>'"),
        (
            "station: a\n\tbays: []",
            "2:1: not YAML: found character '\\t' that cannot start any token",
        ),
        ("station: a\nbays: []", "2:7: bays: found a list, expected a list of at least 1"),
        (
            "station: a\nbays:\n  a: 1",
            "3:3: bays: found keys with values, expected a list: entries begin with '- '",
        ),
        (a_file(station="true"), "1:10: station: found true (true or false), expected small"),
        (
            a_file(sensor_broker="localhost"),
            "expected an address such as mqtt://user:password@localhost:1883",
        ),
        (a_file(sensor_broker="http://a"), "expected an address such as mqtt://"),
        (a_file(sensor_broker="mqtt://a:port"), "expected an address such as mqtt://"),
        (
            a_file(chargers="C1"),
            "chargers: found 'C1' (text), expected a list: entries begin with '- '",
        ),
        (
            a_file(chargers="[{id: C10}]"),
            "charger 'C1' is not listed under chargers; did you mean 'C10'?",
        ),
        (
            a_file(chargers="[{id: C1, evses: 0}]"),
            "found 0 (a whole number), expected a whole number from 1",
        ),
        (
            a_file(chargers="[{id: C1, evses: true}]"),
            "found true (true or false), expected a whole",
        ),
        (a_file(chargers="[{id: C1}, {id: C1}]"), "charger 'C1' is listed twice"),
        (a_file(chargers="[{}]"), "chargers[0]: key 'id' is missing"),
        (
            a_file(chargers="[{id: C1, evses: 2}]", station="x").replace("evse: 1", "evse: 3"),
            "charger 'C1' has 2 EVSEs, not 3",
        ),
        (
            a_file("  - {id: b1, charger: 'C 1', evse: 1}\n"),
            "charger: found 'C 1' (text), expected an OCPP identity",
        ),
        (a_file("  - {id: b1, charger: C1, evse: 1}\n" * 2), "bay 'b1' is already on line 3"),
        (
            a_file("  - {id: b1, charger: C1, evse: 1}\n  - {id: b2, charger: C1, evse: 1}\n"),
            "EVSE 1 of 'C1' has its bay on line 3",
        ),
        (
            a_file("  - {id: b1, id: b2, charger: C1, evse: 1}\n"),
            "key 'id' stands here twice, first on line 3",
        ),
        (a_file("  - {[a]: b1}\n"), "unknown key '?'"),
        (
            a_sensor(topic="a/#"),
            "topic: found 'a/#' (text), expected an MQTT topic without + and #",
        ),
        (a_sensor(topic=""), "topic: found nothing, expected an MQTT topic"),
        (
            a_sensor(vendor="tasmota"),
            "topic: found 'sensors/s' (text), expected tele/<device>/SENSOR",
        ),
        (
            a_sensor(silent_after_s=-1),
            "found -1 (a whole number), expected a number of seconds above 0",
        ),
        (a_sensor(silent_after_s=".inf"), "expected a number of seconds above 0"),
        (a_sensor(options="{invert: true}"), "unknown key 'invert'; expected occupied_when"),
        (
            a_sensor(options="{battery: [1]}"),
            "options.battery: found a list, expected a single value",
        ),
        (
            a_sensor(options="{occupied_when: occupied}"),
            "expected a comparison such as 'contact == false'",
        ),
        (a_sensor(options="[1]"), "options: found a list, expected keys with values"),
        (a_sensor(name="x"), "unknown key 'name'"),
        (
            a_file(
                "  - {id: b1, charger: C1, evse: 1, sensors: ["
                "{id: s, vendor: plain, topic: a}, {id: s, vendor: plain, topic: b}]}\n"
            ),
            "sensor 's' is already on line 3",
        ),
    ],
)
def test_a_wrong_file_is_told_where_it_is_wrong_and_what_is_expected(text, problem):
    assert any(problem in told for told in problems_of(text)), problems_of(text)


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_no_text_at_all_is_more_than_wrong(text):
    with pytest.raises(StationFileWrong) as caught:
        parse_station(text)

    assert caught.value.problems


@given(st.data())
@settings(max_examples=100)
def test_a_good_file_with_a_piece_cut_out_is_read_or_told_wrong(data):
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, len(GOOD)))
    try:
        station = parse_station(GOOD[:start] + GOOD[end:])
    except StationFileWrong as error:
        lines = [problem.line for problem in error.problems]
        assert lines == sorted(lines)
    else:
        assert station.bays


def test_check_prints_what_the_file_describes(tmp_path):
    file = tmp_path / "station.yaml"
    file.write_text(GOOD)
    result = CliRunner().invoke(app, ["check", str(file)])

    assert result.exit_code == 0
    assert result.output.splitlines()[:4] == [
        "Station dundee-greenmarket: 2 chargers, 3 bays, 3 sensors",
        "  DD-GREEN-01: 3 EVSEs",
        "    EVSE 1: bay dundee-greenmarket-1, seen by gm-1 (zigbee2mqtt), gm-1b (plain)",
        "    EVSE 2: bay dundee-greenmarket-2, seen by gm-2 (plain)",
    ]
    assert "pw" not in result.output


@pytest.mark.parametrize("content", ["station: X\n", None])
def test_check_of_a_wrong_or_missing_file_ends_with_status_2(tmp_path, content):
    file = tmp_path / "station.yaml"
    if content is not None:
        file.write_text(content)
    result = CliRunner().invoke(app, ["check", str(file)])

    assert result.exit_code == 2
    assert str(file) in result.output


def test_run_names_a_wrong_setting_and_what_is_expected(monkeypatch):
    monkeypatch.setenv("AGENT_OCPP_PORT", "many")
    result = CliRunner().invoke(app, ["run"])

    assert result.exit_code == 2
    assert "AGENT_OCPP_PORT: Input should be a valid integer" in result.output
