using System.Text;
using Sessions.Json;
using Sessions.Storage.Files;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Files;

/// <summary>A small file is read as it was written, or not at all.</summary>
public sealed class CheckedJsonTests
{
    [Fact]
    public void Every_object_comes_back_token_for_token()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            byte[] compact = Stores.Utf8("{\"id\":1," + new RandomJson(seed).Object(4)[1..].TrimStart(','));
            compact = compact[^2] == ',' ? Stores.Utf8("{\"id\":1}") : compact;
            Assert.Equal(compact, CheckedJson.Read(File(compact)));
        }
    }

    [Fact]
    public void Every_flipped_bit_and_every_cut_is_seen_or_harmless()
    {
        byte[] compact =
            Stores.Utf8("""{"id":"a","title":"Jobs, \"quoted\"","n":9007199254740993,"list":[1,2.50],"é":null}""");
        byte[] file = File(compact);
        for (int bit = 0; bit < file.Length * 8; bit++)
        {
            byte[] flipped = [.. file];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            byte[]? read = CheckedJson.Read(flipped);
            Assert.True(read is null || read.AsSpan().SequenceEqual(compact),
                $"bit {bit}: {Encoding.UTF8.GetString(flipped)}");
        }

        for (int length = 0; length < file.Length - 1; length++)
        {
            Assert.Null(CheckedJson.Read(file.AsSpan(0, length)));
        }

        Assert.Equal(compact, CheckedJson.Read(file.AsSpan(0, file.Length - 1))); // the last newline is for people
    }

    [Fact]
    public void A_file_without_a_checksum_is_taken_as_it_is()
    {
        Assert.Equal("""{"src":"01234567"}"""u8.ToArray(), CheckedJson.Read("""{ "src": "01234567" }"""u8));
        Assert.Equal("{}"u8.ToArray(), CheckedJson.Read("{}"u8));
        Assert.Null(CheckedJson.Read("[]"u8));
        Assert.Null(CheckedJson.Read(""u8));
        Assert.Null(CheckedJson.Read(new byte[512]));
        Assert.Null(CheckedJson.Read("""{"a":1,"crc":"01234567"}"""u8));
    }

    [Fact]
    public void What_is_nested_as_deep_as_a_host_may_still_fits()
    {
        byte[] compact = Stores.Utf8("{\"metadata\":" + string.Concat(Enumerable.Repeat("{\"a\":", 127)) + "{}"
            + new string('}', 127) + "}");
        Assert.Equal(compact, CheckedJson.Read(File(compact)));
    }

    private static byte[] File(byte[] compact)
    {
        var output = new Utf8Buffer();
        CheckedJson.Write(compact, output);
        return output.ToArray();
    }
}
