Definitions of your own, in files that end in .yaml: nodecheck-checks(5).

A file here replaces the shipped one of the same name in /usr/share/nodecheck/checks.d, and a link to /dev/null masks it.
`nodecheck list --where` says which files count, `nodecheck lint` finds the mistakes in them.
