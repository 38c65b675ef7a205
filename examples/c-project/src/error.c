#include "error.h"

#include <stdarg.h>
#include <stdio.h>

bool fail(Error *error, int column, const char *format, ...)
{
    va_list arguments;

    error->column = column;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}
