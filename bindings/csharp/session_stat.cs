namespace Sessions.Bindings;

public partial struct session_stat
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint flags;

    [NativeTypeName("uint64_t")]
    public ulong revision;

    [NativeTypeName("uint64_t")]
    public ulong last_seq;

    [NativeTypeName("uint64_t")]
    public ulong event_count;

    [NativeTypeName("uint64_t")]
    public ulong message_count;

    [NativeTypeName("uint64_t")]
    public ulong abort_count;

    [NativeTypeName("int64_t")]
    public long created_at;

    [NativeTypeName("int64_t")]
    public long updated_at;

    [NativeTypeName("int64_t")]
    public long last_event_at;
}
