namespace Sessions.Native.Tests.Abi;

/// <summary>What the C headers declare, as Clang reads them.</summary>
internal sealed record Header(
    IReadOnlyList<HeaderFunction> Functions,
    IReadOnlyList<HeaderStruct> Structs,
    IReadOnlyList<string> Handles,
    IReadOnlyList<HeaderConstant> Constants);

/// <summary>A function; types are spelled as in the header.</summary>
internal sealed record HeaderFunction(
    string Name, string File, string Returns, IReadOnlyList<HeaderParameter> Parameters);

/// <summary>A parameter of a function.</summary>
internal sealed record HeaderParameter(string Name, string Type);

/// <summary>A struct, its typedef and its layout.</summary>
internal sealed record HeaderStruct(string Name, string Tag, int Size, IReadOnlyList<HeaderField> Fields);

/// <summary>A field of a struct.</summary>
internal sealed record HeaderField(string Name, string Type, int Offset, int Size);

/// <summary>A macro with a value. <paramref name="Type"/>: int32_t, uint32_t or text.</summary>
internal sealed record HeaderConstant(string Name, string Spelling, string Type)
{
    /// <summary>The number; null for a text.</summary>
    public long? Number => Type == "text" ? null : Parse(Spelling.Trim('(', ')').TrimEnd('u'));

    private static long Parse(string digits) =>
        digits.StartsWith("0x", StringComparison.Ordinal)
            ? Convert.ToInt64(digits, 16)
            : long.Parse(digits, System.Globalization.CultureInfo.InvariantCulture);
}
