# The program, with the agent beside it, where it looks for it.
add_executable(uchronia src/cli/main/main.cc)
target_link_libraries(uchronia PRIVATE u_cli)
set_target_properties(uchronia uchronia-agent PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
add_dependencies(uchronia uchronia-agent)
target_compile_definitions(u_cli PRIVATE UCHRONIA_VERSION_TEXT="${PROJECT_VERSION}")
