using System.Buffers;
using System.Text.Json;
using Sessions.Json;

namespace Sessions.Native;

/// <summary>The little JSON that the drop-in reads itself.</summary>
internal static class PlueConfig
{
    /// <summary>The folder (null: the platform's) and whether deletes go through the trash.</summary>
    internal static (string? Folder, bool Trash) Read(ReadOnlySpan<byte> config)
    {
        string folder = "";
        bool trash = true;
        try
        {
            var reader = new Utf8JsonReader(config);
            reader.Read();
            Require(reader.TokenType == JsonTokenType.StartObject, "an object");
            reader.Read();
            while (reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = JsonString.Decode(ref reader); // half of a surrogate pair is no folder, but JSON
                if (name == "data_dir")
                {
                    reader.Read();
                    Require(reader.TokenType is JsonTokenType.String or JsonTokenType.Null, "a string in data_dir");
                    folder = reader.TokenType == JsonTokenType.Null ? "" : JsonString.Decode(ref reader);
                    Checks.Bytes(folder, "data_dir");
                }
                else if (name == "trash")
                {
                    reader.Read();
                    Require(reader.TokenType is JsonTokenType.True or JsonTokenType.False, "true or false in trash");
                    trash = reader.GetBoolean();
                }
                else
                {
                    reader.Skip();
                }

                reader.Read();
            }

            reader.Read();
        }
        catch (JsonException exception)
        {
            long offset = OffsetOf(config, exception.LineNumber ?? 0) + (exception.BytePositionInLine ?? 0);
            throw new SessionException(SessionStatus.InvalidJson, "config_json is not JSON.",
                $$"""{"argument":"config_json","offset":{{offset}}}""", offset, inner: exception);
        }

        return (folder.Length == 0 ? null : folder, trash);
    }

    /// <summary>Where the object in share_info ends, before its closing brace; -1 where it is null.</summary>
    internal static int EndOfShareInfo(ReadOnlySpan<byte> info)
    {
        var reader = new Utf8JsonReader(info);
        reader.Read();
        reader.Read();
        while (reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isShareInfo = reader.ValueTextEquals("share_info"u8);
            reader.Read();
            bool isObject = reader.TokenType == JsonTokenType.StartObject;
            reader.Skip();
            if (isShareInfo)
            {
                return isObject ? (int)reader.TokenStartIndex : -1;
            }

            reader.Read();
        }

        return -1;
    }

    /// <summary>,"url":…,"secret":… of a share, as it is spelled there.</summary>
    internal static byte[] LinkOf(ReadOnlySpan<byte> share)
    {
        var link = new ArrayBufferWriter<byte>();
        var reader = new Utf8JsonReader(share);
        reader.Read();
        reader.Read();
        while (reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isLink = reader.ValueTextEquals("url"u8) || reader.ValueTextEquals("secret"u8);
            int start = (int)reader.TokenStartIndex;
            reader.Read();
            reader.Skip();
            if (isLink)
            {
                link.Write(","u8);
                link.Write(share[start..(int)reader.BytesConsumed]);
            }

            reader.Read();
        }

        return link.WrittenSpan.ToArray();
    }

    private static long OffsetOf(ReadOnlySpan<byte> text, long line)
    {
        int start = 0;
        for (; line > 0; line--)
        {
            start += text[start..].IndexOf((byte)'\n') + 1;
        }

        return start;
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new SessionException(SessionStatus.InvalidArgument, $"config_json must have {what}.",
                """{"argument":"config_json"}""");
        }
    }
}
