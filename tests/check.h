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

#include <stdlib.h>

/* Some things cannot be shown under a sanitizer, mlock for example, which it turns into nothing. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER 0
#endif

/* For a test that cannot be run twice, or that is about code which allocates nothing: tests/torture.c passes it by. */
#define NOT_TORTURED()                                                                                                 \
	do {                                                                                                           \
		if (getenv("BERM_TORTURE") != NULL)                                                                    \
			skip();                                                                                        \
	} while (0)

#endif
