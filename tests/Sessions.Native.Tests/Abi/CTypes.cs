namespace Sessions.Native.Tests.Abi;

/// <summary>How types of the header are written in C#.</summary>
internal static class CTypes
{
    /// <summary>The C# type that bindings/csharp uses for a C type.</summary>
    public static string Binding(string native)
    {
        (string name, string stars) = Split(native);
        return (Simple(name) ?? (name == "char" ? "SByte" : Tag(name))) + stars;
    }

    /// <summary>The C# type that the exports use: handles are numbers, text is bytes.</summary>
    public static string Export(string native)
    {
        (string name, string stars) = Split(native);
        if (ClangReader.Header.Handles.Contains(name))
        {
            return "IntPtr" + stars[1..];
        }

        string simple = Simple(name) ?? (name == "char" ? "Byte" : ExportStruct(name));
        return simple + stars;
    }

    /// <summary>A C# type, written the same way.</summary>
    public static string Spell(Type type) => type == typeof(void) ? "void"
        : type.IsPointer ? Spell(type.GetElementType()!) + "*" : type.Name == "Void" ? "void"
        : type.IsFunctionPointer ? SpellFunction(type) : type.Name;

    /// <summary>Whether C and C# spell the type alike, so that the generator adds no attribute.</summary>
    public static bool IsSpelledAlike(string native) =>
        native.Replace(" ", "", StringComparison.Ordinal).TrimEnd('*') is "void" or "int";

    /// <summary>snake_case as PascalCase.</summary>
    public static string Pascal(string snake) =>
        string.Concat(snake.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    private static string SpellFunction(Type type) => $"{Spell(type.GetFunctionPointerReturnType())}" +
        $"({string.Join(", ", type.GetFunctionPointerParameterTypes().Select(Spell))})";

    private static string? Simple(string name) => name switch
    {
        "void" => "void",
        "int" or "int32_t" or "session_status_t" => "Int32",
        "uint32_t" => "UInt32",
        "int64_t" => "Int64",
        "uint64_t" => "UInt64",
        "size_t" => "UIntPtr",
        "intptr_t" => "IntPtr",
        "session_wake_fn" => "void(void*)",
        _ => null,
    };

    private static string Tag(string name) =>
        ClangReader.Header.Structs.SingleOrDefault(type => type.Name == name)?.Tag
        ?? (ClangReader.Header.Handles.Contains(name) ? name[..^1] + "s" : throw new InvalidDataException(name));

    private static string ExportStruct(string name) => name switch
    {
        "session_stat_t" => "StatOut",
        "session_append_options_t" => "AppendOptionsIn",
        "session_lock_options_t" => "LockOptionsIn",
        "session_watch_options_t" => "WatchOptionsIn",
        _ => Pascal(name["session_".Length..^"_t".Length]),
    };

    private static (string Name, string Stars) Split(string native)
    {
        string name = native.Replace("const ", "", StringComparison.Ordinal);
        int stars = name.Count(c => c == '*');
        return (name.Replace("*", "", StringComparison.Ordinal).Trim(), new string('*', stars));
    }
}
