namespace Sessions.Bindings;

public unsafe partial struct session_store_options
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint flags;

    [NativeTypeName("int32_t")]
    public int durability;

    [NativeTypeName("uint32_t")]
    public uint busy_timeout_ms;

    [NativeTypeName("const char *")]
    public sbyte* share_base_url;

    [NativeTypeName("const char *")]
    public sbyte* client_type;
}
