# The one list of which folder may use which. Each line: a folder of src/, then the folders that it
# uses directly. The build links by it, and tools/lint checks the includes against it. A folder uses
# those above it, or its own parts; a part may include the headers of the folder that it is part of.
set(UCHRONIA_FOLDERS
  "base"
  "host                 base"
  "cpu                  base cpu/mmu"
  "cpu/decode           base cpu"
  "cpu/mmu              base host cpu"
  "cpu/interp           base cpu cpu/decode cpu/mmu cpu/interp/integer cpu/interp/system cpu/interp/legacy cpu/interp/x87 cpu/interp/sse cpu/interp/avx_float cpu/interp/avx_integer"
  "cpu/interp/integer   base cpu cpu/decode cpu/mmu"
  "cpu/interp/system    base cpu cpu/decode cpu/mmu"
  "cpu/interp/legacy    base cpu cpu/decode cpu/mmu cpu/interp/integer cpu/interp/system"
  "cpu/interp/x87       base cpu cpu/decode cpu/mmu"
  "cpu/interp/sse       base cpu cpu/decode cpu/mmu"
  "cpu/interp/avx_integer  base cpu cpu/decode cpu/mmu cpu/interp/sse"
  "cpu/interp/avx_float    base cpu cpu/decode cpu/mmu cpu/interp/sse cpu/interp/avx_integer"
  "cpu/jit              base host cpu cpu/decode cpu/mmu"
  "guest"
  "memory               base host cpu cpu/mmu"
  "devices              base host memory"
  "devices/virtio       base host memory devices"
  "machine              base host cpu cpu/decode cpu/mmu cpu/interp cpu/jit memory devices devices/virtio guest"
  "history              base host cpu memory devices machine guest"
  "image                base host history"
  "explore              base host machine history"
  "profile              base host cpu memory machine history"
  "debug                base host cpu cpu/mmu memory machine history profile"
  "cli                  base host machine history image explore profile debug guest"
)

# Makes, for each folder that has sources: the library u_<folder> from *.cc, and the test program
# <folder>_test from *_test.cc.
function(uchronia_folders)
  foreach(line IN LISTS UCHRONIA_FOLDERS)
    string(REGEX REPLACE " +" ";" words "${line}")
    list(POP_FRONT words folder)
    string(REPLACE "/" "_" name "${folder}")
    file(GLOB sources CONFIGURE_DEPENDS "src/${folder}/*.cc")
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cc$")
    list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
    if(NOT sources)
      continue()
    endif()
    add_library(u_${name} STATIC ${sources})
    foreach(used IN LISTS words)
      string(REPLACE "/" "_" used_name "${used}")
      if(NOT used_name STREQUAL name)
        target_link_libraries(u_${name} PUBLIC $<TARGET_NAME_IF_EXISTS:u_${used_name}>)
      endif()
    endforeach()
    if(tests)
      add_executable(${name}_test ${tests})
      target_link_libraries(${name}_test PRIVATE u_${name} GTest::gtest_main)
      add_test(NAME ${folder} COMMAND ${name}_test)
    endif()
  endforeach()
  target_link_libraries(u_base PUBLIC PkgConfig::XXHASH PkgConfig::ZSTD)
  target_link_libraries(u_image PUBLIC PkgConfig::LIBARCHIVE)
endfunction()
