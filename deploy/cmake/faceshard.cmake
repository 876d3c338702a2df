# Helpers of the build: fsh_library, fsh_program, fsh_tests, fsh_fuzzers. Options: FSH_SANITIZE, FSH_OPENMP,
# FSH_WERROR, FSH_FUZZ.

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
option(FSH_FUZZ "build what libFuzzer drives; needs clang" OFF)

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenCV 4.5 REQUIRED COMPONENTS core imgproc imgcodecs dnn)
pkg_check_modules(FSH_PACKAGES REQUIRED IMPORTED_TARGET
    libzmq libuv hdf5 msgpack sqlite3 yaml-0.1 libturbojpeg libcrypto libmicrohttpd
    libarchive)
find_library(FSH_DLIB dlib REQUIRED)
find_library(FSH_DNNL dnnl REQUIRED)
# libtorch is an option: the backend `torch` of model cards.
option(FSH_TORCH "build the backend torch where libtorch is found" ON)
if(FSH_TORCH)
    find_path(FSH_TORCH_HEADERS torch/script.h)
    find_library(FSH_TORCH_CPU torch_cpu)
    find_library(FSH_TORCH_C10 c10)
    find_library(FSH_TORCH_CUDA torch_cuda)
endif()
if(FSH_OPENMP)
    find_package(OpenMP REQUIRED COMPONENTS C)
endif()

add_library(fsh_flags INTERFACE)
target_include_directories(fsh_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(fsh_flags INTERFACE _GNU_SOURCE FSH_VERSION="${PROJECT_VERSION}")
# Where the checkout and the build are, only for those who ask: all other files are compiled the same in every checkout,
# and ccache has them already.
set_property(SOURCE job/job.c stages/models.c APPEND PROPERTY COMPILE_DEFINITIONS FSH_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
set_property(SOURCE stages/inference/torch.c APPEND PROPERTY COMPILE_DEFINITIONS
    FSH_TORCH_BUILT="${CMAKE_BINARY_DIR}/faceshard_torch.so")
file(GLOB benches ${CMAKE_SOURCE_DIR}/bench/*/*.c)
set_property(SOURCE ${benches} APPEND PROPERTY COMPILE_DEFINITIONS FSH_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
target_compile_options(fsh_flags INTERFACE -Wall -Wextra -Wshadow -fno-common
    $<$<COMPILE_LANGUAGE:C>:-Wvla -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition>)
if(FSH_WERROR)
    target_compile_options(fsh_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-Werror>)
endif()
if(FSH_SANITIZE)
    target_compile_options(fsh_flags INTERFACE -fsanitize=${FSH_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(fsh_flags INTERFACE -fsanitize=${FSH_SANITIZE})
endif()
if(FSH_FUZZ)
    target_compile_options(fsh_flags INTERFACE -fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined)
endif()
target_include_directories(fsh_flags SYSTEM INTERFACE ${OpenCV_INCLUDE_DIRS})
target_link_libraries(fsh_flags INTERFACE PkgConfig::FSH_PACKAGES ${OpenCV_LIBS} ${FSH_DLIB} ${FSH_DNNL} gomp
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

# fsh_torch(NAME source...): the library that is opened for cards of backend torch; nothing without libtorch. Its CUDA
# part registers itself when it is linked, which no symbol asks for.
function(fsh_torch name)
    if(NOT FSH_TORCH OR NOT FSH_TORCH_HEADERS OR NOT FSH_TORCH_CPU OR NOT FSH_TORCH_C10)
        message(STATUS "libtorch not found: no backend torch")
        return()
    endif()
    add_library(${name} MODULE ${ARGN})
    set_target_properties(${name} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden
        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
    target_include_directories(${name} SYSTEM PRIVATE ${FSH_TORCH_HEADERS}
        ${FSH_TORCH_HEADERS}/torch/csrc/api/include)
    target_compile_options(${name} PRIVATE -Wall -Wextra)
    target_link_libraries(${name} PRIVATE ${FSH_TORCH_CPU} ${FSH_TORCH_C10})
    if(FSH_TORCH_CUDA)
        target_link_libraries(${name} PRIVATE -Wl,--no-as-needed ${FSH_TORCH_CUDA})
    endif()
    install(TARGETS ${name} LIBRARY DESTINATION lib/faceshard COMPONENT torch OPTIONAL)
endfunction()

# fsh_video(NAME OPENER source...): the library that OPENER opens for commands that look at videos. OpenCV's videoio and highgui
# bring 250 libraries along, which no other command should wait for.
function(fsh_video name opener)
    set_property(SOURCE ${opener} APPEND PROPERTY COMPILE_DEFINITIONS FSH_VIDEO_BUILT="${CMAKE_BINARY_DIR}/${name}.so")
    add_library(${name} MODULE ${ARGN})
    set_target_properties(${name} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden
        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
    target_include_directories(${name} SYSTEM PRIVATE ${OpenCV_INCLUDE_DIRS})
    target_compile_options(${name} PRIVATE -Wall -Wextra)
    target_link_libraries(${name} PRIVATE opencv_videoio opencv_highgui opencv_imgproc opencv_core)
    install(TARGETS ${name} LIBRARY DESTINATION lib/faceshard COMPONENT video)
endfunction()

# fsh_embed(LIBRARY FILE NAME): the bytes of a file as `const char NAME[]` and `const size_t NAME_bytes`.
function(fsh_embed library file name)
    set(made ${CMAKE_BINARY_DIR}/${name}.c)
    add_custom_command(OUTPUT ${made} DEPENDS ${CMAKE_SOURCE_DIR}/${file} ${CMAKE_SOURCE_DIR}/deploy/cmake/embed.cmake
        COMMAND ${CMAKE_COMMAND} -DFROM=${CMAKE_SOURCE_DIR}/${file} -DTO=${made} -DNAME=${name}
                -P ${CMAKE_SOURCE_DIR}/deploy/cmake/embed.cmake)
    target_sources(${library} PRIVATE ${made})
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
        target_compile_definitions(${name} PRIVATE FSH_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
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
        if(name MATCHES "^(chaos|faults|slurm)_test$")
            set(limit 28800)
        elseif(FSH_SANITIZE)
            set(limit 3600)
        endif()
        set_tests_properties(${name} PROPERTIES TIMEOUT ${limit} SKIP_RETURN_CODE 77 LABELS system
            ENVIRONMENT "FACESHARD=$<TARGET_FILE:faceshard>;FACESHARD_SOURCE=${CMAKE_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=1")
    endforeach()
endfunction()

# fsh_fuzzers(folder): every *_fuzz.c is a target. With FSH_FUZZ libFuzzer drives it; without, a test replays the
# inputs of folder/corpus/NAME, so that what was found once stays mended.
function(fsh_fuzzers folder)
    file(GLOB targets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*_fuzz.c)
    add_custom_target(fuzzers)
    foreach(source ${targets})
        get_filename_component(name ${source} NAME_WE)
        string(REPLACE "_fuzz" "" corpus ${name})
        if(FSH_FUZZ)
            add_executable(${name} EXCLUDE_FROM_ALL ${source})
            target_link_options(${name} PRIVATE -fsanitize=fuzzer)
            add_dependencies(fuzzers ${name})
        else()
            add_executable(${name} ${source} ${CMAKE_SOURCE_DIR}/${folder}/replay.c)
            add_test(NAME ${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/${folder}/corpus/${corpus})
            set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
        endif()
        target_link_libraries(${name} PRIVATE faceshard_core)
        set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    endforeach()
endfunction()
