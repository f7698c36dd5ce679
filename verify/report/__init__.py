"""Reports of a run. report.json is the source; Markdown, HTML, JUnit XML and CTRF are drawn from it alone."""
