/* The cluster handle: version, connection, configuration, pools, statistics. */

#define LIBRADOS_VER_MAJOR ...
#define LIBRADOS_VER_MINOR ...
#define LIBRADOS_VER_EXTRA ...
#define LIBRADOS_SUPPORTS_WATCH ...
#define LIBRADOS_SUPPORTS_SERVICES ...
#define LIBRADOS_SUPPORTS_GETADDRS ...
#define LIBRADOS_SUPPORTS_APP_METADATA ...

typedef void *rados_config_t;

struct rados_cluster_stat_t {
    uint64_t kb;
    uint64_t kb_used;
    uint64_t kb_avail;
    uint64_t num_objects;
    ...;
};

void rados_version(int *major, int *minor, int *extra);
int rados_create(rados_t *cluster, const char *id);
int rados_create2(rados_t *pcluster, const char *clustername, const char *name, uint64_t flags);
int rados_create_with_context(rados_t *cluster, rados_config_t cct);
int rados_connect(rados_t cluster);
void rados_shutdown(rados_t cluster);
int rados_conf_read_file(rados_t cluster, const char *path);
int rados_conf_parse_argv(rados_t cluster, int argc, const char **argv);
int rados_conf_parse_argv_remainder(
    rados_t cluster, int argc, const char **argv, const char **remargv);
int rados_conf_parse_env(rados_t cluster, const char *var);
int rados_conf_set(rados_t cluster, const char *option, const char *value);
int rados_conf_get(rados_t cluster, const char *option, char *buf, size_t len);
int rados_cluster_stat(rados_t cluster, struct rados_cluster_stat_t *result);
int rados_cluster_fsid(rados_t cluster, char *buf, size_t len);
int rados_wait_for_latest_osdmap(rados_t cluster);
int rados_pool_list(rados_t cluster, char *buf, size_t len);
int rados_inconsistent_pg_list(rados_t cluster, int64_t pool, char *buf, size_t len);
rados_config_t rados_cct(rados_t cluster);
uint64_t rados_get_instance_id(rados_t cluster);
int rados_get_min_compatible_osd(rados_t cluster, int8_t *require_osd_release);
int rados_get_min_compatible_client(
    rados_t cluster, int8_t *min_compat_client, int8_t *require_min_compat_client);
int64_t rados_pool_lookup(rados_t cluster, const char *pool_name);
int rados_pool_reverse_lookup(rados_t cluster, int64_t id, char *buf, size_t maxlen);
int rados_pool_create(rados_t cluster, const char *pool_name);
int rados_pool_create_with_auid(rados_t cluster, const char *pool_name, uint64_t auid);
int rados_pool_create_with_crush_rule(
    rados_t cluster, const char *pool_name, uint8_t crush_rule_num);
int rados_pool_create_with_all(
    rados_t cluster, const char *pool_name, uint64_t auid, uint8_t crush_rule_num);
int rados_pool_get_base_tier(rados_t cluster, int64_t pool, int64_t *base_tier);
int rados_pool_delete(rados_t cluster, const char *pool_name);
int rados_getaddrs(rados_t cluster, char **addrs);
