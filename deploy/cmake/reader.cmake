# libfaceshard-reader, static and shared: the reading side of shards/ for programs of others. It needs HDF5 alone, and is
# built without sanitizers, whatever the rest is built with: others link it.
include(GNUInstallDirs)
pkg_check_modules(FSH_HDF5 REQUIRED IMPORTED_TARGET hdf5)
add_library(reader_objects OBJECT
    shards/reader.c shards/read.c shards/layout.c base/store.c base/store_disk.c base/store_join.c base/column.c
    base/column_read.c
    base/files.c base/text.c base/status.c base/reason.c)
set_target_properties(reader_objects PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
target_include_directories(reader_objects PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_definitions(reader_objects PRIVATE _GNU_SOURCE FSH_VERSION="${PROJECT_VERSION}")
target_compile_options(reader_objects PRIVATE -Wall -Wextra -Wno-unknown-pragmas)
target_link_libraries(reader_objects PRIVATE PkgConfig::FSH_HDF5)

add_library(faceshard_reader SHARED $<TARGET_OBJECTS:reader_objects>)
set_target_properties(faceshard_reader PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)
target_link_libraries(faceshard_reader PRIVATE PkgConfig::FSH_HDF5)
target_link_options(faceshard_reader PRIVATE -Wl,--no-undefined) # a source that is missing above is told here
add_library(faceshard_reader_static STATIC $<TARGET_OBJECTS:reader_objects>)
set_target_properties(faceshard_reader faceshard_reader_static PROPERTIES
    OUTPUT_NAME faceshard-reader LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/reader
    ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/reader)

# Both files find the prefix from where they lie.
file(RELATIVE_PATH FSH_UP /prefix/${CMAKE_INSTALL_LIBDIR} /prefix)
configure_file(deploy/reader/faceshard-reader.pc.in ${CMAKE_BINARY_DIR}/reader/faceshard-reader.pc @ONLY)
configure_file(deploy/reader/faceshard-reader-config.cmake.in
    ${CMAKE_BINARY_DIR}/reader/faceshard-reader-config.cmake @ONLY)
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/reader/faceshard-reader-config-version.cmake
    COMPATIBILITY SameMinorVersion)

install(TARGETS faceshard_reader
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT reader NAMELINK_COMPONENT reader_dev)
install(TARGETS faceshard_reader_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT reader_dev)
install(FILES shards/faceshard_reader.h TYPE INCLUDE COMPONENT reader_dev)
install(FILES ${CMAKE_BINARY_DIR}/reader/faceshard-reader.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT reader_dev)
install(FILES ${CMAKE_BINARY_DIR}/reader/faceshard-reader-config.cmake
    ${CMAKE_BINARY_DIR}/reader/faceshard-reader-config-version.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/faceshard-reader COMPONENT reader_dev)
