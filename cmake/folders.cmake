# The one list of which folder may use which: each folder with the folders it depends on directly.
# The build links by it; the lint (tools/lint) checks the includes against it.
set(UCHRONIA_FOLDERS
  "base:"
  "host:base"
  "cpu:base"
  "cpu/decode:base cpu"
)
