# What `cmake --install` puts where, and the Debian package made of it (`./dev package`).
include(GNUInstallDirs)
set(POSTKEEP_UNIT_DIR lib/systemd/system CACHE STRING "Where systemd's units go")

install(TARGETS postkeep RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})

# Made when it is installed, since only then the place is known (--prefix). The configuration comes from the program itself,
# so that it cannot say anything else than the program does; an administrator's file stays.
install(CODE "set(program $<TARGET_FILE:postkeep>)
  set(source ${CMAKE_SOURCE_DIR}/packaging)
  set(made ${CMAKE_BINARY_DIR}/packaging)
  set(sbin ${CMAKE_INSTALL_SBINDIR})
  set(units ${POSTKEEP_UNIT_DIR})")
install(CODE [[
  set(etc ${CMAKE_INSTALL_PREFIX}/etc/postkeep)
  if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    set(etc /etc/postkeep)
  endif()
  file(MAKE_DIRECTORY ${made})
  execute_process(COMMAND ${program} --config ${source}/package.toml config sample
                  OUTPUT_FILE ${made}/postkeep.toml COMMAND_ERROR_IS_FATAL ANY)
  if(EXISTS "$ENV{DESTDIR}${etc}/postkeep.toml")
    message(STATUS "Kept: $ENV{DESTDIR}${etc}/postkeep.toml")
  else()
    file(INSTALL ${made}/postkeep.toml DESTINATION ${etc})
  endif()
  # Manual pages and shell completions: what to ask for, where it goes below the prefix.
  set(documents "man:share/man/man1/postkeep.1" "man postkeep.toml:share/man/man5/postkeep.toml.5"
      "completion bash:share/bash-completion/completions/postkeep" "completion zsh:share/zsh/vendor-completions/_postkeep"
      "completion fish:share/fish/vendor_completions.d/postkeep.fish")
  foreach(document ${documents})
    string(REPLACE ":" ";" document "${document}")
    list(GET document 0 words)
    list(GET document 1 place)
    string(REPLACE " " ";" words "${words}")
    get_filename_component(folder ${place} DIRECTORY)
    get_filename_component(name ${place} NAME)
    execute_process(COMMAND ${program} ${words} OUTPUT_FILE ${made}/${name} COMMAND_ERROR_IS_FATAL ANY)
    file(INSTALL ${made}/${name} DESTINATION ${CMAKE_INSTALL_PREFIX}/${folder})
  endforeach()
  file(READ ${source}/postkeep.service unit)
  set(command "${CMAKE_INSTALL_PREFIX}/${sbin}/postkeep serve")
  if(NOT etc STREQUAL "/etc/postkeep")
    string(APPEND command " --config ${etc}/postkeep.toml")
  endif()
  string(REPLACE "/usr/sbin/postkeep serve" "${command}" unit "${unit}")
  file(WRITE ${made}/postkeep.service "${unit}")
  file(INSTALL ${made}/postkeep.service ${source}/postkeep.socket DESTINATION ${CMAKE_INSTALL_PREFIX}/${units})
]])

install(FILES packaging/sysusers.conf DESTINATION lib/sysusers.d RENAME postkeep.conf)
install(FILES packaging/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME postkeep.conf)
file(GLOB documents CONFIGURE_DEPENDS docs/*.md)
list(FILTER documents EXCLUDE REGEX "/README.md$")  # the index; the README of the project has the links
install(FILES README.md packaging/debian/copyright ${documents} DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/sasl DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY packaging/fail2ban DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples USE_SOURCE_PERMISSIONS)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME postkeep)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The Postkeep authors <postkeep@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "mailbox access server: LMTP in, Maildir, IMAP and POP3 out")
set(CPACK_PACKAGE_DESCRIPTION "Mail comes in by LMTP from an MTA, is kept in Maildir, and is read by IMAP and POP3. One
program with nothing to set up beside it: indexes and users are SQLite files.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION mail)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "passwd, init-system-helpers")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "default-mta | mail-transport-agent")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/debian/conffiles
    ${CMAKE_SOURCE_DIR}/packaging/debian/postinst ${CMAKE_SOURCE_DIR}/packaging/debian/prerm
    ${CMAKE_SOURCE_DIR}/packaging/debian/postrm)
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_BINARY_DIR})
include(CPack)
