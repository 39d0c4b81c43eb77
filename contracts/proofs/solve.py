"""Solves one SMT-LIB file: with yices if that takes two seconds at most, otherwise with cvc5 over the integers.

Products and quotients of wide words are hard for yices, which works on bits, and often easy for cvc5 when it translates
bit vectors to integers; almost everything else is the other way round. halmos calls this program with the file as the
only argument, and reads `sat` with a model, `unsat` or `unknown` from stdout.
"""

import subprocess
import sys
from pathlib import Path

import cvc5

YICES_SECONDS = 2

path = sys.argv[1]
yices = subprocess.run(
    [Path(sys.executable).parent / "yices-smt2", "--bvconst-in-decimal", "--smt2-model-format", f"--timeout={YICES_SECONDS}", path],
    capture_output=True,
    text=True,
)
if yices.stdout.startswith(("sat", "unsat")):
    print(yices.stdout, end="")
    sys.exit()

solver = cvc5.Solver(cvc5.TermManager())
solver.setOption("solve-bv-as-int", "sum")
solver.setOption("produce-models", "true")
parser = cvc5.InputParser(solver)
parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, path)
symbols = parser.getSymbolManager()
while not (command := parser.nextCommand()).isNull():
    answer = command.invoke(solver, symbols)
    print(answer, end="", flush=True)
    # What follows asks for a model.
    if answer.strip() in ("unsat", "unknown"):
        break
