"""Runs the browser tests. The last lines list the failed tests, and the counts."""

import pathlib
import sys
import time
import unittest

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER))

from console import Shared, sentence


class Result(unittest.TextTestResult):
    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def addSuccess(self, test):
        unittest.TestResult.addSuccess(self, test)
        self.stream.writeln(f"✔ {sentence(test)} ({time.monotonic() - self.began:.1f} s)")

    def addFailure(self, test, problem):
        # A test may fail twice: in its body and in tearDown.
        if not any(test is failed for failed, _ in self.failures):
            self.stream.writeln(f"✘ {test.id()}: {sentence(test)}")
        unittest.TestResult.addFailure(self, test, problem)
        lines = self.failures[-1][1].splitlines()
        places = [line for line in lines if str(FOLDER) in line]
        self.stream.writeln("\n".join(places + [line for line in lines if not line.startswith(" ")][1:] + [""]))

    addError = addFailure

    def addSubTest(self, test, part, problem):
        if problem is not None:
            self.addFailure(part, problem)

    def printErrors(self):
        pass

    @property
    def failed(self):
        return sorted({test.id() for test, _ in self.failures})


def main(names):
    loader = unittest.TestLoader()
    tests = loader.loadTestsFromNames(names) if names else loader.discover(str(FOLDER))
    if loader.errors:
        sys.exit("\n".join(loader.errors))
    Shared.start()
    try:
        runner = unittest.TextTestRunner(stream=sys.stdout, resultclass=Result, verbosity=0)
        result = runner.run(tests)
    finally:
        Shared.stop()
    for name in result.failed:
        print(f"✘ {name}")
    print(f"{result.testsRun - len(result.failed)} passed, {len(result.failed)} failed")
    return 1 if result.failed or not result.testsRun else 0


sys.exit(main(sys.argv[1:]))
