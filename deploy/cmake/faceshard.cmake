# Helpers of the build: fsh_library, fsh_program, fsh_tests. Options: FSH_SANITIZE, FSH_OPENMP, FSH_WERROR.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
# Networks and the renderer are tested too: without any optimisation that takes minutes.
set(CMAKE_C_FLAGS_DEBUG "-g -O1")
set(CMAKE_CXX_FLAGS_DEBUG "-g -O1")

set(FSH_SANITIZE "" CACHE STRING "sanitizers: address,undefined or thread")
option(FSH_OPENMP "parallel loops over images" ON)
option(FSH_WERROR "warnings are errors" OFF)

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenCV 4.5 REQUIRED COMPONENTS core imgproc imgcodecs dnn)
pkg_check_modules(FSH_PACKAGES REQUIRED IMPORTED_TARGET
    libzmq libuv hdf5 msgpack sqlite3 yaml-0.1 libturbojpeg libcrypto)
find_library(FSH_DLIB dlib REQUIRED)
if(FSH_OPENMP)
    find_package(OpenMP REQUIRED COMPONENTS C)
endif()

add_library(fsh_flags INTERFACE)
target_include_directories(fsh_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(fsh_flags INTERFACE _GNU_SOURCE FSH_VERSION="${PROJECT_VERSION}"
    FSH_SOURCE_DIR="${CMAKE_SOURCE_DIR}" FSH_DATA_DIR="${CMAKE_INSTALL_PREFIX}/share/faceshard")
target_compile_options(fsh_flags INTERFACE -Wall -Wextra -Wshadow -fno-common
    $<$<COMPILE_LANGUAGE:C>:-Wvla -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition>)
if(FSH_WERROR)
    target_compile_options(fsh_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-Werror>)
endif()
if(FSH_SANITIZE)
    target_compile_options(fsh_flags INTERFACE -fsanitize=${FSH_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(fsh_flags INTERFACE -fsanitize=${FSH_SANITIZE})
endif()
target_include_directories(fsh_flags SYSTEM INTERFACE ${OpenCV_INCLUDE_DIRS})
target_link_libraries(fsh_flags INTERFACE PkgConfig::FSH_PACKAGES ${OpenCV_LIBS} ${FSH_DLIB}
    lapack blas Threads::Threads m dl)
if(FSH_OPENMP)
    target_link_libraries(fsh_flags INTERFACE OpenMP::OpenMP_C)
else()
    target_compile_options(fsh_flags INTERFACE -Wno-unknown-pragmas)
endif()

# fsh_library(NAME FOLDERS folder... EXCEPT file...): every source file of the folders.
function(fsh_library name)
    cmake_parse_arguments(ARG "" "" "FOLDERS;EXCEPT" ${ARGN})
    set(sources)
    foreach(folder ${ARG_FOLDERS})
        file(GLOB found CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
            ${CMAKE_SOURCE_DIR}/${folder}/*.c ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
        list(APPEND sources ${found})
    endforeach()
    list(REMOVE_ITEM sources ${ARG_EXCEPT})
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC fsh_flags)
endfunction()

function(fsh_program name)
    add_executable(${name} ${ARGN})
    target_link_libraries(${name} PRIVATE faceshard_core)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()

# fsh_tests(folder): every *_test.c is a cmocka program, every *_test.py a script run by Debian's python3.
# Both may exit with 77, which is told as "skipped".
function(fsh_tests folder)
    file(GLOB programs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*_test.c)
    foreach(source ${programs})
        get_filename_component(name ${source} NAME_WE)
        add_executable(${name} ${source})
        target_link_libraries(${name} PRIVATE faceshard_core cmocka)
        set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
        add_test(NAME ${name} COMMAND ${name})
        set(limit 120)
        if(name MATCHES "^(memory|wire)_test$") # these have a long form (FSH_LONG=1)
            set(limit 900)
        endif()
        set_tests_properties(${name} PROPERTIES TIMEOUT ${limit} SKIP_RETURN_CODE 77 LABELS unit)
    endforeach()
    file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*_test.py)
    foreach(source ${scripts})
        get_filename_component(name ${source} NAME_WE)
        add_test(NAME ${name} COMMAND /usr/bin/python3 ${source})
        # The long forms of these (FSH_LONG=1) bound themselves, round by round.
        set(limit 600)
        if(name MATCHES "^(chaos|faults)_test$")
            set(limit 14400)
        endif()
        set_tests_properties(${name} PROPERTIES TIMEOUT ${limit} SKIP_RETURN_CODE 77 LABELS system
            ENVIRONMENT "FACESHARD=$<TARGET_FILE:faceshard>;FACESHARD_SOURCE=${CMAKE_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=1")
    endforeach()
endfunction()
