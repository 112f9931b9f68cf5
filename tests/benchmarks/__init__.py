"""What Dateline costs, beside what others cost in the same run: ``make bench``, read in docs/performance.md.

Times on shared machines cannot be compared with those of another day; CPU time and ratios within one run can. Commands
run as users start them, each in processes of its own, and what they cost includes all processes that they start (not
the embedded store). The peers are run where they are installed: pandoc with typst or WeasyPrint, and s5cmd.
"""
