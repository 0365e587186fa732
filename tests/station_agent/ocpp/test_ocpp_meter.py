"""Readings in whatever unit and phase become one figure a quantity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocpp.v16 import enums as v16
from ocpp.v21 import enums as v21
from ocpp.v201 import enums as v201

from contracts.events import MAX_OTHERS
from station_agent.ocpp import meter
from station_agent.ocpp.meter import NOTHING, Reading, Sample, is_possible, register
from tests.station_agent.ocpp.fakes import NOW

ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
CURRENT = "Current.Import"


def sample(value, measurand=ENERGY, unit="", phase="", location="Outlet") -> Sample:
    return (value, measurand, unit, phase, location)


def read(samples) -> Reading:
    return meter.read(samples)[0]


@pytest.mark.parametrize(
    ("given_sample", "field", "figure"),
    [
        (sample(1500), "energy_wh", 1500),
        (sample(1500, unit="Wh"), "energy_wh", 1500),
        (sample(1.5, unit="kWh"), "energy_wh", 1500),
        (sample(1234.5678, unit="kWh"), "energy_wh", 1234568),
        (sample(7200, POWER, "W"), "power_w", 7200),
        (sample(7.2, POWER, "kW"), "power_w", 7200),
        (sample(55, "SoC", "Percent", location="EV"), "soc_pct", 55),
        (sample(16, CURRENT, "A"), "current_a", 16),
        (sample(230, "Voltage", "V"), "voltage_v", 230),
        (sample(25, "Temperature", "Celsius"), "temperature_c", 25),
        (sample(25, "Temperature", "Celcius"), "temperature_c", 25),
        (sample(298.15, "Temperature", "K"), "temperature_c", 25),
        (sample(77, "Temperature", "Fahrenheit"), "temperature_c", 25),
    ],
)
def test_quirk_34_units_are_brought_to_one(given_sample, field, figure):
    reading = read([given_sample])

    assert getattr(reading, field) == pytest.approx(figure)


def test_quirk_34_phases_are_summed_where_there_is_no_total():
    phases = [sample(5, POWER, "kW", phase) for phase in ("L1-N", "L2-N", "L3-N")]

    assert read(phases).power_w == 15_000
    assert read([*phases, sample(14_900, POWER)]).power_w == 14_900


def test_quirk_34_the_neutral_is_not_counted():
    phases = [sample(10, CURRENT, "A", phase) for phase in ("L1", "L2", "L3", "N")]

    assert read(phases).current_a == 30


def test_voltages_are_averaged_and_between_phases_only_a_last_resort():
    phases = [sample(229, "Voltage", "V", "L1"), sample(231, "Voltage", "V", "L2")]
    between = [sample(400, "Voltage", "V", "L1-L2")]

    assert read(phases + between).voltage_v == 230
    assert read(between).voltage_v == 400


def test_the_outlet_is_believed_before_the_inlet():
    inlet = sample(8000, POWER, location="Inlet")
    outlet = sample(7500, POWER)

    assert read([inlet, outlet]).power_w == 7500
    assert read([outlet, inlet]).power_w == 7500
    assert read([inlet]).power_w == 8000


def test_quirk_36_no_energy_is_none_and_not_zero():
    reading = read([sample(50, "Frequency", "Hertz"), sample(1, meter.INTERVAL, "kWh")])

    assert reading.energy_wh is None
    assert reading.others == {"Frequency": 50, "Energy.Active.Import.Interval": 1_000}
    assert read([]) == NOTHING


@pytest.mark.parametrize(
    ("given_sample", "field", "figure"),
    [
        (sample(3.5, "Energy.Active.Export.Register", "kWh"), "export_wh", 3_500),
        (sample(9.9, "Power.Active.Export", "kW"), "export_power_w", 9_900),
        (sample(0.25, meter.SESSION_INTERVAL, "kWh"), "interval_wh", 250),
    ],
)
def test_what_a_car_gives_back_and_what_flows_in_an_interval_have_fields_of_their_own(
    given_sample, field, figure
):
    assert read([given_sample]) == Reading(**{field: figure})


def test_export_over_phases_is_summed():
    phases = [sample(3, "Power.Active.Export", "kW", phase) for phase in ("L1", "L2", "L3")]

    assert read(phases).export_power_w == 9_000


def test_beside_a_register_an_interval_is_only_told():
    reading = read([sample(1_500), sample(20, meter.SESSION_INTERVAL)])

    assert reading == Reading(energy_wh=1_500, others={"Energy.Active.Import.Interval": 20})


def test_every_other_measurand_of_the_standards_is_kept_in_its_base_unit():
    words = {one.value for of in (v16.Measurand, v201.MeasurandEnumType) for one in of}
    words |= {one.value for one in v21.MeasurandEnumType}
    own = {name for name in words if read([sample(5, name)]).others == {}}

    assert own == {
        ENERGY,
        POWER,
        CURRENT,
        "Energy.Active.Export.Register",
        "Power.Active.Export",
        "SoC",
        "Voltage",
        "Temperature",
    }
    assert len(words - own) <= MAX_OTHERS
    assert read(
        [
            sample(7.4, "Power.Offered", "kW"),
            sample(0.3, "Power.Reactive.Import", "kvar", "L1-N"),
            sample(-12, "Energy.Active.Net", "kWh"),
            sample(0.2, "Current.Export", "A", "N"),
        ]
    ).others == {
        "Power.Offered": 7_400,
        "Power.Reactive.Import.L1-N": 300,
        "Energy.Active.Net": -12_000,
        "Current.Export.N": 0.2,
    }


def test_of_the_others_too_the_outlet_is_believed_before_the_inlet():
    inlet, outlet = sample(8, "Power.Offered", location="Inlet"), sample(7, "Power.Offered")

    assert read([inlet, outlet]).others == {"Power.Offered": 7}
    assert read([outlet, inlet]).others == {"Power.Offered": 7}


def test_the_others_are_bounded_in_number_length_and_value():
    many = [sample(1, f"Vendor.{number}") for number in range(200)]
    odd = [sample(1, "x" * 65), sample(1, 'a b,c="d"'), sample(1, ""), sample(1, "x\n")]
    reading, oddities = meter.read([*odd, *many])

    assert len(reading.others) == MAX_OTHERS
    assert set(reading.others) < {one[1] for one in many}
    assert oddities == []
    assert meter.read([sample(1e13, "Frequency")]) == (NOTHING, ["meter_absurd"])


@pytest.mark.parametrize(
    "given_sample",
    [sample(-5), sample(1e13), sample(101, "SoC"), sample(-1, "SoC"), sample(1e12, POWER)],
)
def test_t08_what_cannot_be_is_left_out_and_flagged(given_sample):
    reading, oddities = meter.read([given_sample, sample(230, "Voltage")])

    assert reading == Reading(voltage_v=230)
    assert oddities == ["meter_absurd"]


@pytest.mark.parametrize(("value", "wh"), [(None, None), (-1, None), (10**13, None), (5, 5)])
def test_a_register_is_bounded(value, wh):
    assert register(value) == wh


def test_t08_energy_beyond_a_megawatt_is_not_possible():
    assert is_possible(1_000_000, NOW, NOW)
    assert not is_possible(10**9, NOW, NOW)


@given(
    st.lists(
        st.builds(
            sample,
            st.floats(allow_nan=False, allow_infinity=False),
            st.sampled_from([ENERGY, POWER, CURRENT, "Voltage", "SoC", "Temperature", "x", ""]),
            st.sampled_from(["", "Wh", "kWh", "kW", "K", "Hz"]),
            st.sampled_from(["", "L1", "L2-N", "N", "L1-L2", "?"]),
            st.sampled_from(["", "Outlet", "Inlet", "EV", "?"]),
        )
    )
)
def test_any_samples_give_bounded_figures(samples):
    reading = read(samples)

    assert reading.energy_wh is None or 0 <= reading.energy_wh <= 10**12
    assert reading.soc_pct is None or 0 <= reading.soc_pct <= 100
    for figure in (reading.power_w, reading.current_a, reading.voltage_v, reading.temperature_c):
        assert figure is None or abs(figure) <= 1e8
    assert set(reading.others) <= {"x", "x.L1", "x.L2-N", "x.N", "x.L1-L2"}
    assert all(abs(figure) <= 1e12 for figure in reading.others.values())
