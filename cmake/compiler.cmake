# Warnings, hardening, sanitizers. GCC 12 is the reference compiler; clang is the second opinion.

add_library(postkeep_warnings INTERFACE)
target_compile_options(postkeep_warnings INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  -Wconversion -Wno-sign-conversion -Wformat=2 -Wundef)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # All of these are wrong about correct code at -O2 in GCC 12: in its own headers, and in Asio's coroutine frames.
  target_compile_options(postkeep_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized
    -Wno-mismatched-new-delete)
endif()

# A sixth of a build would go to collecting garbage that there is room for: by default the compiler begins at 128 MiB.
cmake_host_system_information(RESULT memory_mib QUERY TOTAL_PHYSICAL_MEMORY)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND memory_mib GREATER 6000)
  add_compile_options("SHELL:--param ggc-min-heapsize=1048576")
endif()

add_library(postkeep_options INTERFACE)
target_compile_options(postkeep_options INTERFACE -fno-omit-frame-pointer)
find_program(POSTKEEP_LLD ld.lld)
if(POSTKEEP_LLD)
  target_link_options(postkeep_options INTERFACE -fuse-ld=lld)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(postkeep_options INTERFACE
    -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong -fstack-clash-protection
    -fcf-protection -fPIE -g1)
  target_link_options(postkeep_options INTERFACE -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()

if(POSTKEEP_SANITIZE)
  target_compile_options(postkeep_options INTERFACE -fsanitize=${POSTKEEP_SANITIZE} -fno-sanitize-recover=all -g1)
  target_link_options(postkeep_options INTERFACE -fsanitize=${POSTKEEP_SANITIZE})
  if(POSTKEEP_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC warns about fences inside Asio's headers, which TSan does not model.
    target_compile_options(postkeep_options INTERFACE -Wno-tsan)
  endif()
endif()

# GCC 12 and clang 14 both have coroutines; Asio 1.22 must be told so for clang.
add_library(asio INTERFACE)
target_compile_definitions(asio INTERFACE ASIO_STANDALONE ASIO_SEPARATE_COMPILATION ASIO_NO_DEPRECATED)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_definitions(asio INTERFACE ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1)
endif()
