/* Commands to daemons, cluster log, service registration, blocklist. */

typedef void (*rados_log_callback_t)(
    void *arg, const char *line, const char *who, uint64_t sec, uint64_t nsec, uint64_t seq,
    const char *level, const char *msg);

typedef void (*rados_log_callback2_t)(
    void *arg, const char *line, const char *channel, const char *who, const char *name,
    uint64_t sec, uint64_t nsec, uint64_t seq, const char *level, const char *msg);

int rados_ping_monitor(rados_t cluster, const char *mon_id, char **outstr, size_t *outstrlen);
int rados_blocklist_add(
    rados_t cluster, char *client_address, uint32_t expire_seconds);  // since 16
int rados_blacklist_add(rados_t cluster, char *client_address, uint32_t expire_seconds);
int rados_mon_command(
    rados_t cluster, const char **cmd, size_t cmdlen, const char *inbuf, size_t inbuflen,
    char **outbuf, size_t *outbuflen, char **outs, size_t *outslen);
int rados_mgr_command(
    rados_t cluster, const char **cmd, size_t cmdlen, const char *inbuf, size_t inbuflen,
    char **outbuf, size_t *outbuflen, char **outs, size_t *outslen);
int rados_mgr_command_target(
    rados_t cluster, const char *name, const char **cmd, size_t cmdlen, const char *inbuf,
    size_t inbuflen, char **outbuf, size_t *outbuflen, char **outs, size_t *outslen);  // since 16
int rados_mon_command_target(
    rados_t cluster, const char *name, const char **cmd, size_t cmdlen, const char *inbuf,
    size_t inbuflen, char **outbuf, size_t *outbuflen, char **outs, size_t *outslen);
void rados_buffer_free(char *buf);
int rados_osd_command(
    rados_t cluster, int osdid, const char **cmd, size_t cmdlen, const char *inbuf,
    size_t inbuflen, char **outbuf, size_t *outbuflen, char **outs, size_t *outslen);
int rados_pg_command(
    rados_t cluster, const char *pgstr, const char **cmd, size_t cmdlen, const char *inbuf,
    size_t inbuflen, char **outbuf, size_t *outbuflen, char **outs, size_t *outslen);
int rados_monitor_log(rados_t cluster, const char *level, rados_log_callback_t cb, void *arg);
int rados_monitor_log2(rados_t cluster, const char *level, rados_log_callback2_t cb, void *arg);
int rados_service_register(
    rados_t cluster, const char *service, const char *daemon, const char *metadata_dict);
int rados_service_update_status(rados_t cluster, const char *status_dict);
