#include "check.h"

#include <string.h>

#include "base/wire.h"

static struct rd reader(const void *bytes, size_t len)
{
	return rd_from((struct span){bytes, len});
}

static void test_round_trip(void **state)
{
	(void)state;
	uint8_t bytes[64];
	struct wr wr = wr_into(bytes, sizeof(bytes));
	wr_u8(&wr, 0x01);
	wr_u16(&wr, 0x2345);
	wr_u32(&wr, 0x6789abcd);
	wr_u64(&wr, 0xfedcba9876543210);
	wr_block(&wr, (struct span){(const uint8_t *)"hello", 5});
	wr_span(&wr, (struct span){(const uint8_t *)"!", 1});
	size_t len = 0;
	assert_int_equal(wr_end(&wr, &len, NULL), BERM_OK);
	assert_int_equal(len, 1 + 2 + 4 + 8 + 4 + 5 + 1);
	struct rd rd = reader(bytes, len);
	assert_int_equal(rd_u8(&rd), 0x01);
	assert_int_equal(rd_u16(&rd), 0x2345);
	assert_int_equal(rd_u32(&rd), 0x6789abcd);
	assert_true(rd_u64(&rd) == 0xfedcba9876543210);
	struct span block = rd_block(&rd, 5);
	assert_int_equal(block.len, 5);
	assert_memory_equal(block.ptr, "hello", 5);
	assert_memory_equal(rd_span(&rd, 1).ptr, "!", 1);
	assert_int_equal(rd_end(&rd, NULL), BERM_OK);
}

static void test_bytes_are_little_endian(void **state)
{
	(void)state;
	uint8_t bytes[4];
	struct wr wr = wr_into(bytes, sizeof(bytes));
	wr_u32(&wr, 0x01020304);
	assert_memory_equal(bytes, "\x04\x03\x02\x01", 4);
}

static void test_short_input_reads_as_zero_and_is_told(void **state)
{
	(void)state;
	struct rd rd = reader("\xff\xff\xff", 3);
	assert_int_equal(rd_u32(&rd), 0);
	assert_int_equal(rd_u8(&rd), 0); /* though three bytes are left: nothing is read after a failure */
	assert_int_equal(rd_span(&rd, 1).len, 0);
	struct berm_err err;
	assert_int_equal(rd_end(&rd, &err), BERM_ERR_PARSE);
	assert_string_equal(err.msg, "message is cut short or a field is too long");
}

static void test_trailing_bytes_are_refused(void **state)
{
	(void)state;
	struct rd rd = reader("\1\2\3", 3);
	(void)rd_u8(&rd);
	struct berm_err err;
	assert_int_equal(rd_end(&rd, &err), BERM_ERR_PARSE);
	assert_string_equal(err.msg, "2 bytes behind the end of the message");
}

static void test_block_length_is_bounded(void **state)
{
	(void)state;
	const char bytes[] = "\5\0\0\0hello";
	struct rd rd = reader(bytes, 9);
	assert_int_equal(rd_block(&rd, 4).len, 0);
	assert_int_equal(rd_end(&rd, NULL), BERM_ERR_PARSE);
	rd = reader(bytes, 8);
	assert_int_equal(rd_block(&rd, 5).len, 0);
	assert_int_equal(rd_end(&rd, NULL), BERM_ERR_PARSE);
	rd = reader("\xff\xff\xff\xff", 4);
	assert_int_equal(rd_block(&rd, UINT32_MAX).len, 0);
	assert_int_equal(rd_end(&rd, NULL), BERM_ERR_PARSE);
}

static void test_empty_message(void **state)
{
	(void)state;
	struct rd rd = reader(NULL, 0);
	assert_int_equal(rd_span(&rd, 0).len, 0);
	assert_int_equal(rd_end(&rd, NULL), BERM_OK);
	assert_int_equal(rd_u8(&rd), 0);
	assert_int_equal(rd_end(&rd, NULL), BERM_ERR_PARSE);
}

static void test_write_past_the_end_is_told(void **state)
{
	(void)state;
	uint8_t bytes[4] = {0};
	struct wr wr = wr_into(bytes, 3);
	wr_u16(&wr, 0x1111);
	wr_u16(&wr, 0x2222);
	wr_u8(&wr, 0x33); /* would fit, but comes after a failure */
	size_t len = 42;
	assert_int_equal(wr_end(&wr, &len, NULL), BERM_ERR_LIMIT);
	assert_int_equal(len, 42);
	assert_memory_equal(bytes, "\x11\x11\0\0", 4);
}

static void test_exact_fit(void **state)
{
	(void)state;
	uint8_t bytes[8];
	struct wr wr = wr_into(bytes, sizeof(bytes));
	wr_u64(&wr, 1);
	wr_span(&wr, (struct span){NULL, 0});
	size_t len = 0;
	assert_int_equal(wr_end(&wr, &len, NULL), BERM_OK);
	assert_int_equal(len, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bytes_are_little_endian),
		cmocka_unit_test(test_short_input_reads_as_zero_and_is_told),
		cmocka_unit_test(test_trailing_bytes_are_refused),
		cmocka_unit_test(test_block_length_is_bounded),
		cmocka_unit_test(test_empty_message),
		cmocka_unit_test(test_write_past_the_end_is_told),
		cmocka_unit_test(test_exact_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
