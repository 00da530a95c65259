namespace Sessions.Json;

/// <summary>Compact JSON for people: two spaces a level. Tokens keep their spelling.</summary>
internal static class JsonPretty
{
    public static void Write(ReadOnlySpan<byte> compact, Utf8Buffer output)
    {
        int depth = 0;
        while (!compact.IsEmpty)
        {
            byte b = compact[0];
            int length = 1;
            switch (b)
            {
                case (byte)'{' or (byte)'[' when compact.Length > 1 && compact[1] is (byte)'}' or (byte)']':
                    output.Raw(compact[..2]);
                    length = 2;
                    break;
                case (byte)'{' or (byte)'[':
                    output.Byte((char)b);
                    Line(output, ++depth);
                    break;
                case (byte)'}' or (byte)']':
                    Line(output, --depth);
                    output.Byte((char)b);
                    break;
                case (byte)',':
                    output.Byte(',');
                    Line(output, depth);
                    break;
                case (byte)':':
                    output.Raw(": "u8);
                    break;
                default:
                    length = Math.Max(1, JsonScan.ValueLength(compact));
                    output.Raw(compact[..length]);
                    break;
            }

            compact = compact[length..];
        }
    }

    private static void Line(Utf8Buffer output, int depth)
    {
        output.Byte('\n');
        for (int i = 0; i < depth; i++)
        {
            output.Raw("  "u8);
        }
    }
}
