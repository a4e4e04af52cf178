# Reads IMAP responses with Ruby's Net::IMAP, which refuses what its grammar does not know, and prints what it
# cannot read: strict_reader.rb FOLDER, each file in it one FETCH response with its literals. A reader not ours.
require "net/imap"

parser = Net::IMAP::ResponseParser.new
failed = 0
ARGV.each do |folder|
  Dir.children(folder).sort.each do |name|
    bytes = File.binread(File.join(folder, name))
    # Net::IMAP 0.2.4 reads every message/* as message/rfc822 and then stumbles over the disposition of a
    # message/delivery-status; RFC 9051 §7.5.2 gives those the form of any other type, so it is told another type.
    bytes.gsub!(/\("message" "(?!rfc822"|global")/i, '("x-message" "')
    begin
      attributes = parser.parse(bytes).data.attr
      envelope, structure = attributes["ENVELOPE"], attributes["BODYSTRUCTURE"]
      raise "no ENVELOPE" unless envelope.is_a?(Net::IMAP::Envelope)
      raise "no BODYSTRUCTURE" if structure.nil? || structure.media_type.to_s.empty?
    rescue StandardError => e
      failed += 1
      puts "#{name}: #{e.class}: #{e.message}: #{bytes[0, 600].inspect}"
    end
  end
end
exit(failed.zero? ? 0 : 1)
