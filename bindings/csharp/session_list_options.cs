namespace Sessions.Bindings;

public unsafe partial struct session_list_options
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint flags;

    [NativeTypeName("int32_t")]
    public int order;

    [NativeTypeName("int32_t")]
    public int archived;

    [NativeTypeName("uint32_t")]
    public uint limit;

    [NativeTypeName("uint32_t")]
    public uint reserved;

    [NativeTypeName("const char *")]
    public sbyte* parent_id;

    [NativeTypeName("const char *")]
    public sbyte* title_contains;

    [NativeTypeName("const char *")]
    public sbyte* filter_json;

    [NativeTypeName("const char *")]
    public sbyte* fields;

    [NativeTypeName("const char *")]
    public sbyte* cursor;
}
