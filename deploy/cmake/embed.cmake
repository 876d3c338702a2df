# cmake -DFROM=page.html -DTO=page_html.c -DNAME=fsh_page_html -P embed.cmake: a file as an array in C.
file(READ ${FROM} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE ${TO} "#include <stddef.h>\n
extern const char ${NAME}[];\nextern const size_t ${NAME}_bytes;\n
const char ${NAME}[] = {\n${bytes}0};\nconst size_t ${NAME}_bytes = sizeof ${NAME} - 1;\n")
