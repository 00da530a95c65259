namespace Sessions.Bindings;

public partial struct session_share_options
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint flags;

    [NativeTypeName("int64_t")]
    public long expires_at;

    [NativeTypeName("uint64_t")]
    public ulong first_seq;

    [NativeTypeName("uint64_t")]
    public ulong last_seq;

    [NativeTypeName("uint32_t")]
    public uint max_uses;

    [NativeTypeName("uint32_t")]
    public uint reserved;
}
