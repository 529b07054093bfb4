/* What every unit and model test includes first: cmocka with the headers that it wants in front of it. */
#ifndef BERM_TESTS_CHECK_H
#define BERM_TESTS_CHECK_H

/* clang-format off: the order is cmocka's */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */

#endif
