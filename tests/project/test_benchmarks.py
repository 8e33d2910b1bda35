"""The benchmarks can be run, without what they compare with too, and their chart can be read."""

import json
import sys
from unittest import mock
from xml.etree import ElementTree

from tests.benchmarks import lifecycle
from tests.benchmarks.__main__ import as_figures
from tests.benchmarks._chart import chart
from tests.benchmarks._contenders import CONTENDERS, FLOOR, LIVESERVER
from tests.helpers.support import StrictTestCase

SVG = "{http://www.w3.org/2000/svg}"

WERKZEUG = next(each for each in CONTENDERS if "werkzeug" in each.name)


class LifecycleTests(StrictTestCase):
    """Each contender has a row, and one that is not installed says so."""

    def measure(self) -> lifecycle.Lifecycles:
        with (
            mock.patch.object(lifecycle, "CONTENDERS", (FLOOR, LIVESERVER, WERKZEUG)),
            mock.patch.dict(sys.modules, {"werkzeug": None, "werkzeug.serving": None}),
        ):
            found = lifecycle.Lifecycles(["asyncio"], 3)
            found.measure()
            self.answers = found.answers("asyncio")
            return found

    def test_a_package_that_is_missing(self) -> None:
        self.measure()
        for answer in self.answers:
            floor, ours, werkzeug = answer.rows
            self.assertEqual(floor[0], FLOOR.name)
            self.assertEqual(float(floor[-1]), 1)
            self.assertGreater(float(ours[2]), 0)
            self.assertRegex(werkzeug[0], f"^{WERKZEUG.name}: .*werkzeug")
            self.assertIn(answer.question, str(answer))

    def test_the_figures_for_programs(self) -> None:
        found = self.measure()
        figures = json.loads(json.dumps(as_figures(self.answers)))
        medians = figures["answers"][0]["figures"]["median_ms"]
        self.assertEqual(medians, found.medians("asyncio", asks=False))
        self.assertEqual(set(medians), {FLOOR.name, LIVESERVER.name})
        self.assertIn("liveserver", figures["packages"])

    def test_a_claim_that_does_not_hold(self) -> None:
        medians = {FLOOR.name: 1.0, LIVESERVER.name: 1.2}
        for factor, word in ((1.3, "holds"), (1.1, "BROKEN")):
            said = lifecycle.claim(medians, False, LIVESERVER, factor, FLOOR)
            self.assertTrue(said.startswith(word), said)


class ChartTests(StrictTestCase):
    """The chart is an image whose bars are as long as their values say."""

    def test_bars_and_values(self) -> None:
        bars = {"one <thing>": [0.5, 5.0], "another": [50.0, 500.0]}
        root = ElementTree.fromstring(chart("What it costs", ["first", "second"], bars, "another"))
        texts = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
        for text in ("What it costs", "first", "second", *bars, "0.5 ms", "5 ms", "500 ms"):
            self.assertIn(text, texts)
        legend, lengths = 2, [float(each.get("width", 0)) for each in root.iter(f"{SVG}rect")]
        steps = [b - a for a, b in zip(lengths[legend:], lengths[legend + 1 :], strict=False)]
        self.assertEqual(len(steps), 3)
        for step in steps:  # each is ten times the one before
            self.assertAlmostEqual(step, steps[0], delta=0.2)
