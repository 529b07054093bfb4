#include "os/nl_nft.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

static void begin(struct nl_out *out, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource)
{
	const struct nfgenmsg header = {.nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)};
	nl_begin(out, type, flags, &header, sizeof(header));
}

static void begin_object(struct nl_out *out, uint16_t type, uint16_t flags)
{
	begin(out, NFNL_SUBSYS_NFTABLES << 8 | type, flags | NLM_F_CREATE, NFPROTO_INET, 0);
}

static void put_number(struct nl_out *out, uint16_t type, uint32_t value)
{
	nl_put_u32(out, type, htonl(value));
}

static void put_text(struct nl_out *out, uint16_t type, const char *text)
{
	nl_put(out, type, text, strlen(text) + 1);
}

void nft_begin(struct nl_out *out)
{
	begin(out, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	nl_end(out);
}

void nft_end(struct nl_out *out)
{
	begin(out, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	nl_end(out);
}

void nft_table(struct nl_out *out, const char *name)
{
	begin_object(out, NFT_MSG_NEWTABLE, 0);
	put_text(out, NFTA_TABLE_NAME, name);
	nl_end(out);
}

void nft_chain(struct nl_out *out, const struct nft_chain *chain)
{
	begin_object(out, NFT_MSG_NEWCHAIN, 0);
	put_text(out, NFTA_CHAIN_TABLE, chain->table);
	put_text(out, NFTA_CHAIN_NAME, chain->name);
	put_text(out, NFTA_CHAIN_TYPE, chain->type);
	size_t hook = nl_nest_begin(out, NFTA_CHAIN_HOOK);
	put_number(out, NFTA_HOOK_HOOKNUM, chain->hook);
	put_number(out, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority);
	nl_nest_end(out, hook);
	nl_end(out);
}

size_t nft_rule_begin(struct nl_out *out, const struct nft_chain *chain, bool acknowledge)
{
	begin_object(out, NFT_MSG_NEWRULE, NLM_F_APPEND | (acknowledge ? NLM_F_ACK : 0));
	put_text(out, NFTA_RULE_TABLE, chain->table);
	put_text(out, NFTA_RULE_CHAIN, chain->name);
	return nl_nest_begin(out, NFTA_RULE_EXPRESSIONS);
}

void nft_rule_end(struct nl_out *out, size_t rule)
{
	nl_nest_end(out, rule);
	nl_end(out);
}

/* ---- expressions ------------------------------------------------------------------------------------------------- */

struct expression {
	size_t element, data;
};

static struct expression begin_expression(struct nl_out *out, const char *name)
{
	struct expression expression = {.element = nl_nest_begin(out, NFTA_LIST_ELEM)};
	put_text(out, NFTA_EXPR_NAME, name);
	expression.data = nl_nest_begin(out, NFTA_EXPR_DATA);
	return expression;
}

static void end_expression(struct nl_out *out, struct expression expression)
{
	nl_nest_end(out, expression.data);
	nl_nest_end(out, expression.element);
}

static void put_value(struct nl_out *out, uint16_t type, const void *value, size_t size)
{
	size_t nest = nl_nest_begin(out, type);
	nl_put(out, NFTA_DATA_VALUE, value, size);
	nl_nest_end(out, nest);
}

void nft_meta(struct nl_out *out, uint32_t key)
{
	struct expression expression = begin_expression(out, "meta");
	put_number(out, NFTA_META_KEY, key);
	put_number(out, NFTA_META_DREG, NFT_MATCH);
	end_expression(out, expression);
}

void nft_payload(struct nl_out *out, uint32_t base, uint32_t at, uint32_t size)
{
	struct expression expression = begin_expression(out, "payload");
	put_number(out, NFTA_PAYLOAD_DREG, NFT_MATCH);
	put_number(out, NFTA_PAYLOAD_BASE, base);
	put_number(out, NFTA_PAYLOAD_OFFSET, at);
	put_number(out, NFTA_PAYLOAD_LEN, size);
	end_expression(out, expression);
}

void nft_compare(struct nl_out *out, uint32_t how, const void *value, size_t size)
{
	struct expression expression = begin_expression(out, "cmp");
	put_number(out, NFTA_CMP_SREG, NFT_MATCH);
	put_number(out, NFTA_CMP_OP, how);
	put_value(out, NFTA_CMP_DATA, value, size);
	end_expression(out, expression);
}

void nft_immediate(struct nl_out *out, uint32_t to, const void *value, size_t size)
{
	struct expression expression = begin_expression(out, "immediate");
	put_number(out, NFTA_IMMEDIATE_DREG, to);
	put_value(out, NFTA_IMMEDIATE_DATA, value, size);
	end_expression(out, expression);
}

void nft_tproxy(struct nl_out *out, uint32_t family)
{
	struct expression expression = begin_expression(out, "tproxy");
	put_number(out, NFTA_TPROXY_FAMILY, family);
	put_number(out, NFTA_TPROXY_REG_ADDR, NFT_MATCH);
	put_number(out, NFTA_TPROXY_REG_PORT, NFT_VALUE);
	end_expression(out, expression);
}
