namespace Sessions.Bindings;

public unsafe partial struct session_create_options
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint flags;

    [NativeTypeName("const char *")]
    public sbyte* title;

    [NativeTypeName("const char *")]
    public sbyte* metadata_json;

    [NativeTypeName("const char *")]
    public sbyte* facts_json;

    [NativeTypeName("const char *")]
    public sbyte* idempotency_key;

    [NativeTypeName("const char *")]
    public sbyte* decision_id;
}
