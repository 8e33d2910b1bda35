"""Print what came of every fault: `python -m tests.fault_report`."""

import faulthandler
import sys

from tests.helpers.faults import FAULTS, Trial, try_fault, ways


def main() -> int:
    """Run the matrix, print a line for each fault and the totals; 1 if anything was wrong."""
    trials: list[Trial] = []
    for fault in FAULTS:
        faulthandler.dump_traceback_later(60, exit=True)  # a hang ends here, with the stacks
        group = [try_fault(fault, way) for way in ways()]
        trials += group
        bad = sum(bool(trial.problems) for trial in group)
        longest = max(trial.seconds for trial in group)
        seen = fault.error.__name__ if fault.error else "warning" if fault.warning else "works"
        result = f"{bad} WRONG" if bad else "ok"
        print(f"{result:8} {longest:6.2f} s  {seen:18} {fault.name}", flush=True)
        for trial in group:
            for problem in trial.problems:
                print(f"    {trial.way}: {problem}")
    faulthandler.cancel_dump_traceback_later()
    wrong = [trial for trial in trials if trial.problems]
    leaks = [trial for trial in wrong if any(each.startswith("left") for each in trial.problems)]
    late = [trial for trial in wrong if any(each.startswith("took") for each in trial.problems)]
    print(
        f"\n{len(FAULTS)} faults in {len(list(ways()))} ways: {len(trials)} trials, "
        f"{len(late)} hangs, {len(leaks)} leaks, {len(wrong)} wrong"
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
