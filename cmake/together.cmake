# Compiles the files of a folder together, up to ten at a time: most of a file's cost is the headers that its neighbours
# take too, so that a clean build takes less than half the time. The price: names that are local to a file (anonymous
# namespace, using) are local to its folder. A file that cannot live with that says so:
#   set_source_files_properties(FILE PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
# The preset debug compiles each file alone, for quick work; clang each file of the libraries, to show that each still can be.
option(POSTKEEP_TOGETHER "Compile the files of a folder together" ON)
option(POSTKEEP_TESTS_TOGETHER "The same for the tests" ${POSTKEEP_TOGETHER})

function(postkeep_compile_together target)
  if(NOT POSTKEEP_TOGETHER)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${source})
    get_filename_component(folder ${folder} DIRECTORY)
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    if(NOT DEFINED count_${folder})
      set(count_${folder} 0)
    endif()
    math(EXPR count "${count_${folder}} + 1")
    set(count_${folder} ${count})
    math(EXPR part "(${count} - 1) / 10")
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP "${folder}_${part}")
  endforeach()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Warns of a class with members of local types outside the file that is compiled, which all are included into here.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
