module polder.dev/dev/pause

go 1.24
