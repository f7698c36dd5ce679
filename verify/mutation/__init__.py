"""Can the suite fail? Deliberate faults in the library, one at a time, and which claims notice.

`faults` lists them, `inject` puts one in place within a running process, `suite` runs claims with and without it.
"""
