"""Solves one SMT-LIB file with cvc5, which translates bit vectors to integers: for products and quotients of variables.

halmos calls it with the file as the only argument, and reads `sat` with a model, `unsat` or `unknown` from stdout.
"""

import sys

import cvc5

terms = cvc5.TermManager()
solver = cvc5.Solver(terms)
solver.setOption("solve-bv-as-int", "sum")
solver.setOption("produce-models", "true")
parser = cvc5.InputParser(solver)
parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, sys.argv[1])
symbols = parser.getSymbolManager()
while not (command := parser.nextCommand()).isNull():
    answer = command.invoke(solver, symbols)
    print(answer, end="", flush=True)
    # What follows asks for a model.
    if answer.strip() in ("unsat", "unknown"):
        break
